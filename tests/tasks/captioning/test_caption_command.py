"""``caffe-lrcn caption`` end to end, on nets too small to know anything."""
import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.cli.main import main
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import read_net
from tests.harness.unread import run_unread

PICTURES = """
layer { name: "data" type: "Input" top: "data" input_param {
  shape { dim: 1 dim: 3 dim: 12 dim: 12 } }
  transform_param { crop_size: 12 mean_value: 104 mean_value: 117 mean_value: 123 }
  image_data_param { new_height: 13 new_width: 13 } }
layer { name: "fc8" type: "InnerProduct" bottom: "data" top: "fc8" inner_product_param {
  num_output: 3 weight_filler { type: "gaussian" std: 0.001 } } }
"""
# In the published form: input fields, and a batch of its own. The bias of `predict` makes every
# word 3 ("square"), whatever the picture.
WORDS = """
input: "cont_sentence" input_shape { dim: 1 dim: 1000 }
input: "input_sentence" input_shape { dim: 1 dim: 1000 }
input: "image_features" input_shape { dim: 1000 dim: 3 }
layer { name: "embedding" type: "Embed" bottom: "input_sentence" top: "embedded" embed_param {
  input_dim: 5 num_output: 4 bias_term: false } }
layer { name: "lstm1" type: "LSTM" bottom: "embedded" bottom: "cont_sentence"
  bottom: "image_features" top: "lstm1" recurrent_param { num_output: 4 } }
layer { name: "predict" type: "InnerProduct" bottom: "lstm1" top: "predict"
  inner_product_param { num_output: 5 axis: 2 } }
layer { name: "probs" type: "Softmax" bottom: "predict" top: "probs" softmax_param { axis: 2 } }
"""


@pytest.fixture
def trained(tmp_path):
    """Flags that name two small nets, their weights and a vocabulary."""
    flags = ["--cpu"]
    for flag, text in (("image-net", PICTURES), ("net", WORDS)):
        path = tmp_path / f"{flag}.prototxt"
        path.write_text(text)
        net = Net(read_net(path), get_backend("cpu"), phase=caffe_pb2.TEST)
        if flag == "net":
            net.params["predict"][1].host_data[3] = 1
        weights = tmp_path / f"{flag}.caffemodel"
        net.save(str(weights))
        flags += [f"--{flag}", str(path)]
    (tmp_path / "vocabulary.txt").write_text("<unk>\na\nsquare\nred\n")
    return [*flags, "--weights", str(tmp_path / "net.caffemodel"), "--image-weights",
            str(tmp_path / "image-net.caffemodel"), "--vocabulary",
            str(tmp_path / "vocabulary.txt")]


@pytest.fixture
def pictures(coco):
    """Paths of two pictures."""
    return [str(coco / "pictures" / name) for name in ("red.jpg", "blue picture.png")]


def test_prints_a_caption_for_each_picture(pictures, trained, capsys):
    assert main(["caption", *pictures, *trained, "--max-length", "2"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{path}: Square square..."
                                                    for path in pictures]


def test_published_vocabulary_size(tmp_path, capsys):
    """8800 lines for a net of 8801 ids; a batch of 1000 that nobody asked for."""
    (tmp_path / "net.prototxt").write_text(WORDS.replace(": 5 ", ": 8801 "))
    net = Net(read_net(tmp_path / "net.prototxt"), get_backend("cpu"), phase=caffe_pb2.TEST)
    net.params["predict"][1].host_data[8800] = 1
    net.save(str(tmp_path / "net.caffemodel"))
    words = ["<unk>", *(f"w{i}" for i in range(2, 8801))]
    (tmp_path / "vocabulary.txt").write_text("\n".join(words) + "\n")
    np.save(tmp_path / "f.npy", np.zeros((1, 3)))
    flags = [part for name, file in (("net", "net.prototxt"), ("weights", "net.caffemodel"),
                                     ("vocabulary", "vocabulary.txt"), ("features", "f.npy"))
             for part in (f"--{name}", str(tmp_path / file))]
    assert main(["caption", "--cpu", *flags, "--max-length", "2"]) == 0
    assert capsys.readouterr().out == "0: W8800 w8800...\n"


@pytest.mark.parametrize("listed", ["{}\n", "\n{} 7\n", "{}"])
def test_a_list_of_pictures(coco, trained, capsys, listed):
    listing = coco / "list.txt"  # names count from the list's folder
    listing.write_text("".join(listed.format(f"pictures/{name}").rstrip() + "\n"
                               for name in ("red.jpg", "blue picture.png")))
    assert main(["caption", "--images", str(listing), *trained, "--max-length", "1"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{coco}/pictures/{name}: Square..." for name in ("red.jpg", "blue picture.png")]


@pytest.mark.parametrize("flags, count", [
    (["--strategy", "beam"], 5), (["--strategy", "beam", "--beam-size", "2"], 2),
    (["--strategy", "sample", "--samples", "3", "--inverse-temperature", "0.5", "--seed", "4"], 3),
    (["--strategy", "best-of", "--samples", "7"], 7), ([], 1)])
def test_strategies(pictures, trained, capsys, flags, count):
    command = ["caption", *pictures, *trained, *flags, "--top", "10", "--max-length", "3"]
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 * count
    assert [line.rpartition(": ")[0] for line in lines[::count]] == pictures
    ranks = [float(line.split()[0]) for line in lines[1:count]]
    assert ranks == sorted(ranks, reverse=True)
    assert main(command) == 0
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.parametrize("flag, value, power", [
    ("temperature", "0.5", 2), ("temperature", "2", 0.5), ("inverse-temperature", "2", 2)])
def test_a_low_temperature_sharpens(pictures, trained, capsys, flag, value, power):
    """Word 3 has a logit of 1 and the other four one of 0, so p^power is its share."""
    flags = ["--strategy", "sample", "--samples", "4000", f"--{flag}", value, "--top", "4000"]
    assert main(["caption", pictures[0], *trained, *flags, "--max-length", "1"]) == 0
    share = capsys.readouterr().out.count("Square...") / 4000
    assert share == pytest.approx(np.exp(power) / (np.exp(power) + 4), abs=0.03)


def test_temperature_0_is_greedy_and_only_one_of_both_is_taken(pictures, trained, capsys):
    command = ["caption", pictures[0], *trained, "--max-length", "2", "--strategy", "sample"]
    assert main([*command, "--temperature", "0", "--top", "5"]) == 0
    assert capsys.readouterr().out.count("Square square...") == 5
    for flags, message in ((["--temperature", "1", "--inverse-temperature", "1"], "not allowed"),
                           (["--temperature", "-1"], "must be 0 or more, not -1"),
                           (["--temperature", "nan"], "must be 0 or more, not nan")):
        with pytest.raises(SystemExit):
            main([*command, *flags])
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["caption", "--help"])
    assert "--inverse-temperature" in capsys.readouterr().out


def test_unknown_words_can_be_blocked(pictures, trained, capsys):
    flags = ["--strategy", "sample", "--samples", "40", "--temperature", "inf", "--top", "40"]
    assert main(["caption", *pictures, *trained, *flags]) == 0
    assert "<unk>" in capsys.readouterr().out
    assert main(["caption", *pictures, *trained, *flags, "--block-unknown"]) == 0
    assert "<unk>" not in capsys.readouterr().out


def test_features_in_place_of_pictures(pictures, trained, tmp_path, capsys):
    np.save(tmp_path / "f.npy", np.ones((2, 3)))
    command = ["caption", "--features", str(tmp_path / "f.npy"), *trained, "--max-length", "1"]
    out = tmp_path / "results.json"
    assert main([*command, "--json", str(out)]) == 0
    assert capsys.readouterr().out == "0: Square...\n1: Square...\n"
    assert [entry["image_id"] for entry in json.loads(out.read_text())] == [0, 1]
    assert main([*command, *pictures]) == 0
    assert capsys.readouterr().out == "".join(f"{path}: Square...\n" for path in pictures)


# COCO results -----------------------------------------------------------------------------------

def test_coco_results_by_file_name(coco, pictures, trained, tmp_path):
    out = tmp_path / "results.json"
    assert main(["caption", *pictures[::-1], *trained, "--max-length", "1", "--json", str(out),
                 "--references", str(coco / "captions.json")]) == 0
    assert json.loads(out.read_text()) == [{"image_id": 2, "caption": "Square..."},
                                           {"image_id": 1, "caption": "Square..."}]


def test_coco_results_by_number(coco, pictures, trained, tmp_path):
    name = coco / "COCO_val2014_000000000042.jpg"
    name.write_bytes((coco / "pictures" / "red.jpg").read_bytes())
    out = tmp_path / "results.json"
    assert main(["caption", str(name), *trained, "--json", str(out)]) == 0
    assert json.loads(out.read_text())[0]["image_id"] == 42


def test_no_image_ids(coco, pictures, trained, tmp_path, capsys):
    out = tmp_path / "results.json"
    command = ["caption", *trained, "--json", str(out)]
    assert main([*command, *pictures, pictures[0]]) == 1
    assert "two pictures have the same image id" in capsys.readouterr().err
    references = coco / "captions.json"
    assert main([*command, "other.jpg", "--references", str(references)]) == 1
    assert "do not list a picture (got other.jpg)" in capsys.readouterr().err
    references.write_text("[]")
    assert main([*command, *pictures, "--references", str(references)]) == 1
    assert "not a COCO caption file" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("names, ids", [
    (["cat.jpg", "dog 1.jpg"], ["cat.jpg", "dog 1.jpg"]),
    (["1.jpg", "a1.jpg"], ["1.jpg", "a1.jpg"]),
    (["x/cat.jpg", "y/cat.jpg"], ["x/cat.jpg", "y/cat.jpg"]), (["a2.jpg", "b01.jpg"], [2, 1])])
def test_coco_results_of_any_file_names(coco, trained, tmp_path, monkeypatch, capsys, names, ids):
    monkeypatch.chdir(tmp_path)
    for name in names:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes((coco / "pictures" / "red.jpg").read_bytes())
    assert main(["caption", *names, *trained, "--json", "made/here/out.json"]) == 0
    found = json.loads(Path("made/here/out.json").read_text())
    assert [entry["image_id"] for entry in found] == ids
    assert ("each image_id is a file name" in capsys.readouterr().err) == (ids == names)


def test_a_folder_of_pictures(coco, trained, capsys):
    (coco / "pictures" / "notes.txt").write_text("no picture")
    command = ["caption", *trained, "--max-length", "1"]
    assert main([*command, str(coco / "pictures")]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [f"{coco}/pictures/{name}: Square..."
                                      for name in ("blue picture.png", "red.jpg")]
    assert "pictures: 2 pictures; skipped 1 other file" in shown.err
    assert main([*command, "--images", str(coco / "pictures")]) == 0
    assert capsys.readouterr().out == shown.out


def test_files_are_whole_though_nobody_reads_the_output(pictures, trained, tmp_path):
    files = [tmp_path / "made" / name for name in ("out.json", "page.html")]
    code, said = run_unread(["caption", *pictures, *trained, "--json", files[0], "--html",
                             files[1]])
    assert code == 1 and "Error" not in said and "Exception" not in said
    assert len(json.loads(files[0].read_text())) == 2 and "</html>" in files[1].read_text()


# The page ---------------------------------------------------------------------------------------

class Page(HTMLParser):
    """Collects tags, sources and text, and sees that tags are closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.sources, self.text = [], [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_page_holds_everything(coco, pictures, trained, tmp_path, capsys):
    odd = coco / "<b> & 'co'.jpg"
    odd.write_bytes((coco / "pictures" / "red.jpg").read_bytes())
    out = tmp_path / "page.html"
    assert main(["caption", *pictures, str(odd), "nowhere.jpg", *trained, "--html", str(out),
                 "--strategy", "beam", "--beam-size", "3"]) == 1
    page = Page(out.read_text(encoding="utf-8"))
    assert page.tags.count("figure") == 4 and page.tags.count("img") == 3
    assert page.tags.count("tr") == 9
    assert not {"script", "link", "b"} & set(page.tags)
    assert all(source.startswith("data:image/jpeg;base64,") for source in page.sources)
    assert str(odd) in page.text and "picture 'nowhere.jpg' is missing" in page.text
    assert sum(text.startswith("Square square") for text in page.text) >= 3


# What goes wrong --------------------------------------------------------------------------------

def test_the_others_still_get_captions(pictures, trained, tmp_path, capsys):
    broken, out = tmp_path / "broken1.jpg", tmp_path / "results.json"
    broken.write_bytes(b"no picture")
    (tmp_path / "2.png").write_bytes(Path(pictures[1]).read_bytes())
    assert main(["caption", str(broken), str(tmp_path / "2.png"), "gone3.jpg", *trained,
                 "--max-length", "1", "--json", str(out)]) == 1
    shown = capsys.readouterr()
    assert shown.out == f"{tmp_path / '2.png'}: Square...\n"
    assert [line[:len("error: ")] for line in shown.err.splitlines()] == ["error: "] * 2
    assert "broken1.jpg" in shown.err and "gone3.jpg" in shown.err
    assert json.loads(out.read_text()) == [{"image_id": 2, "caption": "Square..."}]


@pytest.mark.parametrize("flags, message", [
    (["--mean", "1,2"], "--mean takes three numbers"),
    (["--resize", "11"], "resized to less than the net's input"),
    (["--max-length", "0"], "max_length must be 1 or more"),
    (["--top", "0"], "--top must be 1 or more"),
    (["--net", "none.prototxt"], "none.prototxt"),
    (["--beam-size", "3"], "--beam-size does nothing with --strategy greedy "
                           "(wanted --strategy beam)"),
    (["--temperature", "1"], "--temperature or --inverse-temperature does nothing with"),
    (["--strategy", "beam", "--seed", "3"], "wanted --strategy sample or best-of"),
    (["--strategy", "beam", "--beam-size", "0"], "beam_size must be 1 or more"),
    (["--html", "{folder}"], "the page cannot be written: Is a directory"),
    (["--json", "{folder}/net.prototxt/x.json"], "the results cannot be written: Not a directory"),
    (["--references", "x.json"], "gives the ids for --json"),
])
def test_wrong_usage(pictures, trained, tmp_path, capsys, flags, message):
    flags = [flag.format(folder=tmp_path) for flag in flags]
    assert main(["caption", pictures[0], *trained, *flags]) == 1
    assert message in capsys.readouterr().err


def test_nothing_to_caption(trained, tmp_path, capsys):
    assert main(["caption", *trained]) == 1
    assert "no pictures to caption" in capsys.readouterr().err
    (tmp_path / "list.txt").write_text("\n \n")
    assert main(["caption", "--images", str(tmp_path / "list.txt"), *trained]) == 1
    assert "list.txt: the list of pictures is empty" in capsys.readouterr().err
    assert main(["caption", "--images", "none.txt", *trained]) == 1
    assert "none.txt: cannot read the list" in capsys.readouterr().err


@pytest.mark.parametrize("features, message", [
    (np.ones((2, 4)), "the features do not fit the decoder (got (2, 4), wanted (N, 3))"),
    (np.empty((0, 3)), "hold no rows"), (np.ones(3), "hold no rows"),
    (np.array(["a"]), "not an array of numbers"), (np.full((1, 3), np.inf), "NaN or infinity"),
    (None, "the features cannot be read")])
def test_wrong_features(trained, tmp_path, capsys, features, message):
    path = tmp_path / "f.npy"
    path.write_bytes(b"nothing") if features is None else np.save(path, features)
    assert main(["caption", "--features", str(path), *trained]) == 1
    assert message in capsys.readouterr().err


def test_features_of_other_pictures(pictures, trained, tmp_path, capsys):
    np.save(tmp_path / "f.npy", np.ones((3, 3)))
    assert main(["caption", *pictures, "--features", str(tmp_path / "f.npy"), *trained]) == 1
    assert "not as many features as pictures (got 3 rows, wanted 2)" in capsys.readouterr().err


def test_vocabulary_of_another_net(pictures, trained, tmp_path, capsys):
    (tmp_path / "vocabulary.txt").write_text("<unk>\na\nb\nc\nd\n")
    assert main(["caption", *pictures, *trained]) == 1
    assert "more words than the net (got 6 ids, wanted at most 5)" in capsys.readouterr().err
    (tmp_path / "vocabulary.txt").write_text("<unk>\na\nsquare\n")
    assert main(["caption", *pictures, *trained]) == 1
    assert "fewer words than the net (got 4 ids, wanted 5)" in capsys.readouterr().err
    assert main(["caption", *pictures, *trained, "--partial-vocabulary"]) == 0


def test_weights_that_lack_a_layer(pictures, trained, capsys):
    at = trained.index("--image-weights")
    swapped = trained[:at] + trained[at + 2:]
    assert main(["caption", *pictures, *swapped]) == 1
    assert "the weights lack layers of the net (got no fc8" in capsys.readouterr().err


def test_nets_that_do_not_fit_each_other(pictures, trained, tmp_path, capsys):
    path = tmp_path / "image-net.prototxt"
    path.write_text(PICTURES.replace("num_output: 3", "num_output: 4"))
    Net(read_net(path), get_backend("cpu"), phase=caffe_pb2.TEST).save(
        str(tmp_path / "image-net.caffemodel"))
    assert main(["caption", *pictures, *trained]) == 1
    assert "do not fit the decoder (got (0, 4), wanted (N, 3))" in capsys.readouterr().err
