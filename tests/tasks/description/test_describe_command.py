"""``caffe-lrcn describe`` end to end, on nets that are too small to know anything."""
import json
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.cli.main import main
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import read_net
from caffe_lrcn.tasks.description.describe import DEPLOY
from caffe_lrcn.tasks.description.roles import Slot, write_roles
from tests.harness.unread import run_unread

from ..activity.videos import levels, write_video
from .small_data import SLOTS, make_roles, write_data

SEARCHES = {"greedy": [], "beam": ["--beam-size", "3"], "sample": ["--samples", "3"],
            "best-of": ["--samples", "4"]}


@pytest.fixture
def data(tmp_path):
    """Return a function from architecture to the flags of a net with random weights."""
    roles = make_roles()
    write_data(tmp_path / "data", roles)
    write_roles(tmp_path / "roles.json", roles)

    def flags(architecture, *more):
        weights = tmp_path / f"{architecture}.caffemodel"
        net = Net(read_net(tmp_path / "data" / DEPLOY[architecture]), get_backend("cpu"),
                  phase=caffe_pb2.TEST, seed=1)
        random = np.random.default_rng(7)
        for blobs in net.params.values():
            for blob in blobs:
                blob.host_data[...] = random.normal(size=blob.shape)
        net.save(str(weights))
        return ["describe", "--cpu", "--data", str(tmp_path / "data"), "--weights", str(weights),
                "--architecture", architecture, *more]
    flags.folder, flags.roles = tmp_path, str(tmp_path / "roles.json")
    return flags


def lines(capsys):
    return [line.split(": ", 1) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("architecture", "abc")
def test_text_and_results(data, capsys, architecture, search):
    results = data.folder / "out" / "results.json"
    assert main(data(architecture, "--roles", data.roles, "--json", str(results), "--strategy",
                     search, "--max-length", "6", *SEARCHES[search])) == 0
    said = lines(capsys)
    assert [name for name, _ in said] == [f"clip{i}" for i in range(6)]
    assert all(text == "" or text.endswith(".") for _, text in said)
    assert json.loads(results.read_text()) == [
        {"image_id": name, "caption": text} for name, text in said]


def test_evaluate_scores_the_results(data, capsys):
    roles, results = make_roles(), str(data.folder / "results.json")
    references = data.folder / "references.json"
    references.write_text(json.dumps({
        "images": [{"id": 10 + i, "file_name": name} for i, name in enumerate(roles.ids)],
        "annotations": [{"id": 100 * i + k, "image_id": 10 + i, "caption": text}
                        for i, texts in enumerate(roles.sentences)
                        for k, text in enumerate(texts)]}))
    assert main(data("c", "--roles", data.roles, "--json", results, "--references",
                     str(references))) == 0
    capsys.readouterr()
    assert main(["evaluate", results, str(references)]) == 0
    assert capsys.readouterr().out.startswith("6 pictures, 8 references")


def test_probabilities_and_labels_differ(data, capsys):
    found = {}
    for architecture in "bc":
        flags = data(architecture, "--roles", data.roles, "--max-length", "5")
        assert main(flags) == 0
        found[architecture] = lines(capsys)
    assert found["b"] != found["c"]  # the weights are the same


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.pictures, self.bars, self.text = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.pictures += [given["src"]] if tag == "img" else []
        self.bars += [given["style"]] if tag == "i" else []
        assert tag not in ("script", "link")

    def handle_data(self, text):
        self.text.append(text)


def test_page(data, capsys):
    pytest.importorskip("av")
    write_video(data.folder / "clip.avi", levels(20))
    roles = make_roles()
    slots = (Slot("activity", ("none", "<cut>", "wash")), *SLOTS[1:])
    write_data(data.folder / "data", replace(roles, slots=slots))
    videos = ["clip.avi", "missing.avi", *[None] * 4]
    write_roles(data.roles, replace(roles, slots=slots, videos=videos,
                                    ids=["<b>&", *roles.ids[1:]]))
    page = data.folder / "page.html"
    assert main(data("c", "--roles", data.roles, "--html", str(page), "--top", "2",
                     "--strategy", "beam")) == 0
    text = page.read_text()
    found = Page(text)
    assert [picture[:22] for picture in found.pictures] == ["data:image/webp;base64"]
    assert len(found.bars) >= 6 * 3 and all(bar.startswith("width:") for bar in found.bars)
    assert "<b>&" in found.text and "<cut>" in found.text and "<b>" not in text
    assert "the probabilities of all labels" in text
    said = lines(capsys)
    sentence = next(rest[0] for name, *rest in said if name == "clip1")
    assert sentence in found.text


def test_labels_alone(data, capsys):
    write_roles(data.roles, replace(make_roles(), probabilities=None))
    page = data.folder / "page.html"
    for architecture in "ab":
        assert main(data(architecture, "--roles", data.roles, "--html", str(page))) == 0
    assert not Page(page.read_text()).bars
    assert main(data("c", "--roles", data.roles)) == 1
    assert "labels but no probabilities" in capsys.readouterr().err


def test_the_net_tells_a_but_not_b_from_c(data, capsys):
    for architecture, code, message in (("a", 0, ""), ("b", 1, "--architecture b (one-hot vect")):
        words = data(architecture, "--roles", data.roles, "--net",
                     str(data.folder / "data" / DEPLOY[architecture]))
        place = words.index("--architecture")
        assert main([*words[:place], *words[place + 2:]]) == code
        assert message in capsys.readouterr().err


def change_vocabulary(folder):
    (folder / "data" / "vocabulary.txt").write_text("<unk>\na\nb\n")


def change_slots(folder):
    roles = make_roles()
    write_roles(folder / "roles.json", replace(
        roles, slots=(Slot("activity", ("none", "wash", "cut")), *SLOTS[1:])))


def lose_slots(folder):
    (folder / "data" / "slots.json").unlink()


def other_states(folder):
    """Roles and slots.json agree, the net does not."""
    slots = (*SLOTS, Slot("tool", ("none", "knife")))
    roles = make_roles(slots=slots)
    nets = folder / "nets"
    shutil.copytree(folder / "data", nets)
    write_data(folder / "data", replace(roles, sentences=make_roles().sentences))
    for path in nets.glob("*.prototxt"):
        shutil.copy(path, folder / "data")
    write_roles(folder / "roles.json", roles)


def bad_slots(folder):
    (folder / "data" / "slots.json").write_text("[1]")


@pytest.mark.parametrize("architecture", "ac")
@pytest.mark.parametrize("change, message", [
    (change_vocabulary, "these slots belong to another vocabulary"),
    (change_slots, "slot 'activity' has other labels (got 3 labels, 'wash' as label 1"),
    (lose_slots, "slots.json: cannot read the slots"),
    (bad_slots, "slots.json: not a list of slots"),
    (other_states, "the net was made for other roles (got 10 labels of all slots, wanted 8")])
def test_roles_of_another_net(data, capsys, architecture, change, message):
    words = data(architecture, "--roles", data.roles)
    change(data.folder)
    assert main(words) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("change, message", [
    (lambda words: [*words[:words.index("--data")], *words[words.index("--data") + 2:]],
     "nothing tells which net to use"),
    (lambda words: [*words[:words.index("--data")], *words[words.index("--data") + 2:], "--net",
                    "x"], "nothing tells what the net's words are"),
    (lambda words: [*words, "--net", "prototxt/description/small/encoder_decoder.deploy.prototxt",
                    "--partial-vocabulary"], ""),
    (lambda words: [*words, "--beam-size", "3"], "--beam-size does nothing with --strategy greedy"),
    (lambda words: [*words, "--top", "0"], "--top must be 1 or more"),
    (lambda words: [*words, "--references", "x"], "--references gives the ids for --json")])
def test_flags_that_do_not_go_together(data, capsys, change, message):
    assert main(change(data("b", "--roles", data.roles))) == 1
    assert message in capsys.readouterr().err


def test_a_net_of_another_architecture(data, capsys):
    words = data("b", "--roles", data.roles)
    words[words.index("b")] = "a"
    words += ["--net", str(data.folder / "data" / DEPLOY["b"])]
    assert main(words) == 1
    assert "the net is not of architecture a (got b or c, wanted a)" in capsys.readouterr().err


def test_a_reader_that_goes_away_does_not_cost_the_files(data):
    results = data.folder / "results.json"
    assert run_unread(data("b", "--roles", data.roles, "--json", results)) == (1, "")
    assert len(json.loads(results.read_text())) == 6
