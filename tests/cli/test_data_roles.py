"""``caffe-lrcn data roles``: check, convert, fit, label, simulate."""
from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.cli.main import main
from caffe_lrcn.language.caption_files import read_references
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import read_net
from caffe_lrcn.tasks.description.roles import read_roles, write_roles
from caffe_lrcn.tasks.toy_roles.dataset import Extent, write_dataset

NET = "prototxt/description/small/roles.deploy.prototxt"


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "toy"
    write_dataset(folder, Extent(groups=8, clips=15, videos=False), 1, None)
    return folder


@pytest.fixture(scope="module")
def features(toy, tmp_path_factory):
    """Features of the splits: the true labels with noise."""
    folder = tmp_path_factory.mktemp("features")
    for number, split in enumerate(("train", "val", "test")):
        seen = 2 * read_roles(toy / f"{split}.json").one_hot()
        seen += np.random.default_rng(number).standard_normal(seen.shape)
        np.save(folder / f"{split}.npy", seen)
    return folder


def run(*words, code=0):
    assert main(["data", "roles", *map(str, words)]) == code


def test_check_and_convert(toy, tmp_path, capsys):
    run(toy / "val.json", "--out", tmp_path / "val.h5", "--references", tmp_path / "refs.json")
    out = capsys.readouterr().out
    assert out.splitlines()[0] == (
        "15 clips; slots with numbers of labels: activity (7), tool (7), object (12), source (6), "
        "location (6); labels; 60 sentences")
    assert "references of 15 clips" in out
    one, other = read_roles(toy / "val.json"), read_roles(tmp_path / "val.h5")
    assert (one.ids, one.sentences, one.slots) == (other.ids, other.sentences, other.slots)
    np.testing.assert_array_equal(one.labels, other.labels)
    assert read_references(tmp_path / "refs.json") == dict(zip(one.ids, one.sentences,
                                                               strict=True))


def test_paths_of_videos_follow_the_file(tmp_path):
    (tmp_path / "in").mkdir()
    clip = {"id": "a", "video": "v/a.avi", "roles": {"tool": "egg"}}
    (tmp_path / "in" / "a.json").write_text(json.dumps(
        {"slots": [{"name": "tool", "labels": ["egg"]}], "clips": [clip]}))
    run(tmp_path / "in" / "a.json", "--out", tmp_path / "out" / "b.json")
    assert read_roles(tmp_path / "out" / "b.json").videos == ["../in/v/a.avi"]
    run(tmp_path / "in" / "a.json", "--out", tmp_path / "in" / "b.h5")
    assert read_roles(tmp_path / "in" / "b.h5").videos == ["v/a.avi"]


def test_fit_and_label(toy, features, tmp_path, capsys):
    run(toy / "train.json", "--features", features / "train.npy", "--fit", tmp_path / "crf.h5",
        "--out", tmp_path / "seen_train.json", "--folds", "3")
    out = capsys.readouterr().out
    assert "CRF of 75 clips with 4 tables" in out and "labels right: activity" in out
    run(toy / "test.json", "--features", features / "test.npy", "--crf", tmp_path / "crf.h5",
        "--out", tmp_path / "seen_test.json")
    found, true = read_roles(tmp_path / "seen_test.json"), read_roles(toy / "test.json")
    assert found.joint and found.probabilities is not None and found.ids == true.ids
    assert found.sentences == true.sentences
    assert (found.labels == true.labels).mean() > 0.7
    run(toy / "test.json", "--features", features / "test.npy", "--crf", tmp_path / "crf.h5",
        "--out", tmp_path / "slot.h5", "--maximum", "slot")
    slot = read_roles(tmp_path / "slot.h5")
    assert not slot.joint
    np.testing.assert_allclose(slot.probabilities, found.probabilities, atol=1e-12)


def test_a_crf_beats_the_slots_alone(toy, features, tmp_path, capsys):
    shares = {}
    for edges in ("none", "tree", "activity-tool,activity-object"):
        run(toy / "train.json", "--features", features / "train.npy", "--fit",
            tmp_path / "crf.h5", "--edges", edges)
        run(toy / "test.json", "--features", features / "test.npy", "--crf", tmp_path / "crf.h5",
            "--out", tmp_path / "a.json")
        shares[edges] = (read_roles(tmp_path / "a.json").labels
                         == read_roles(toy / "test.json").labels).mean()
    assert shares["tree"] > shares["none"]


def test_simulated_noise(toy, tmp_path, capsys):
    run(toy / "train.json", "--noise", "0.3", "--out", tmp_path / "n.json")
    assert "labels right" in capsys.readouterr().out
    found, true = read_roles(tmp_path / "n.json"), read_roles(toy / "train.json")
    assert 0.2 < (found.labels != true.labels).mean() < 0.4


def test_from_pixels(tmp_path, capsys):
    """The net of the generated clips, untrained: videos reach roles by every way."""
    data = tmp_path / "toy"
    write_dataset(data, Extent(3, 2, 8, 32), 1, None)
    weights = tmp_path / "w.caffemodel"
    Net(read_net(NET), get_backend("cpu"), phase=caffe_pb2.TEST).save(str(weights))
    net = ("--net", NET, "--weights", weights, "--cpu")
    run(data / "train.json", *net, "--save-features", tmp_path / "f.npy", "--fit",
        tmp_path / "crf.h5")
    assert np.load(tmp_path / "f.npy").shape == (2, 38)
    run(data / "test.json", *net, "--crf", tmp_path / "crf.h5", "--out", tmp_path / "a.json")
    videos = [str(data / "videos" / f"g01_c000{clip}.avi") for clip in (1, 2)]
    run(*videos, *net, "--crf", tmp_path / "crf.h5", "--out", tmp_path / "b.json")
    one, other = read_roles(tmp_path / "a.json"), read_roles(tmp_path / "b.json")
    assert sorted(one.ids) == other.ids == ["g01_c0001", "g01_c0002"]
    assert other.videos == videos
    order = [one.ids.index(name) for name in other.ids]
    np.testing.assert_allclose(one.probabilities[order], other.probabilities, atol=1e-9)
    assert other.sentences == [[], []]
    run(*videos, *net, "--crf", tmp_path / "crf.h5", "--blob", "clip", code=1)
    assert "another width" in capsys.readouterr().err


def test_tables_of_the_corpus(tmp_path):
    (tmp_path / "t.csv").write_text("clip,sentence,activity,tool,object,source,target\n"
                                    "c1,He cuts.,cut,knife,,,board\n")
    run(tmp_path / "t.csv", "--format", "tacos", "--columns", "id=clip", "--out",
        tmp_path / "t.json")
    assert read_roles(tmp_path / "t.json").names(0) == ("cut", "knife", "none", "none", "board")


@pytest.mark.parametrize(("words", "text"), [
    (["{toy}/train.json", "--weights", "w"], "--net and --weights belong together"),
    (["{toy}/train.json", "--blob", "fc"], "--blob is a blob of --net"),
    (["{toy}/train.json", "--save-features", "f.npy"], "--save-features needs --net"),
    (["{toy}/train.json", "--crf", "c.h5"], "a CRF needs features"),
    (["{toy}/train.json", "--features", "f.npy"], "nothing that uses them"),
    (["{toy}/train.json", "--columns", "id=x"], "--columns needs --format tacos"),
    (["{toy}/train.json", "{toy}/val.json"], "one file of roles"),
    (["a.avi"], "videos have no roles yet"),
    (["{toy}/train.json", "--out", "x.txt"], "must tell its form"),
    (["{toy}/train.json", "--features", "{features}/val.npy", "--fit", "{tmp}/c.h5"],
     "not as many features as clips"),
    (["{toy}/train.json", "--features", "{features}/train.npy", "--fit", "{tmp}/c.h5", "--edges",
      "tool-activty"], "Did you mean 'activity'"),
    (["{toy}/train.json", "--features", "{features}/train.npy", "--fit", "{tmp}/c.h5", "--l2",
      "-1"], "must not be negative"),
    (["{toy}/train.json", "--features", "{features}/train.npy", "--fit", "{tmp}/c.h5", "--out",
      "{tmp}/a.json", "--folds", "9"], "wanted 2 to 5"),
    (["{toy}/train.json", "--net", NET, "--weights", "w", "--fit", "{tmp}/c.h5"], "w"),
    (["{toy}/absent.json"], "cannot read the roles"),
])
def test_what_is_refused(toy, features, tmp_path, capsys, words, text):
    run(*(word.format(toy=toy, features=features, tmp=tmp_path) for word in words), code=1)
    assert text in capsys.readouterr().err


def test_clips_without_videos_have_no_pixels(toy, tmp_path, capsys):
    weights = tmp_path / "w.caffemodel"
    Net(read_net(NET), get_backend("cpu"), phase=caffe_pb2.TEST).save(str(weights))
    run(toy / "val.json", "--net", NET, "--weights", weights, "--cpu", "--save-features",
        tmp_path / "f.npy", code=1)
    assert "has no video" in capsys.readouterr().err


def test_a_crf_of_other_slots_is_refused(toy, features, tmp_path, capsys):
    run(toy / "train.json", "--features", features / "train.npy", "--fit", tmp_path / "crf.h5")
    roles = read_roles(toy / "val.json")
    write_roles(tmp_path / "v.h5", roles)
    with h5py.File(tmp_path / "v.h5", "a") as file:
        file["slot_labels"][1] = "carve"
    run(tmp_path / "v.h5", "--features", features / "val.npy", "--crf", tmp_path / "crf.h5", code=1)
    error = capsys.readouterr().err
    assert "slot 'activity' has other labels" in error and "'carve' as label 1" in error
