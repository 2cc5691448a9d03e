"""``features --videos``: what a convnet sees in the frames of videos, in files that can be read."""
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.cli.main import main
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import parse_net
from caffe_lrcn.tasks.description.feature_files import open_features
from tests.sources.clips import noisy, write_frames

NET = """layer { name: "data" type: "Input" top: "data"
                 input_param { shape { dim: 3 dim: 3 dim: 8 dim: 8 } } }
         layer { name: "fc7" type: "InnerProduct" bottom: "data" top: "fc7" inner_product_param {
                 num_output: 4 weight_filler { type: "xavier" } } }
         layer { name: "relu7" type: "ReLU" bottom: "fc7" top: "fc7" }
         layer { name: "fc8" type: "InnerProduct" bottom: "fc7" top: "fc8" inner_product_param {
                 num_output: 2 weight_filler { type: "xavier" } } }"""
COUNTS = {"first": 7, "film/second": 2}


@pytest.fixture
def videos(tmp_path, monkeypatch):
    """Write two folders of frames, and a net; work in their folder."""
    monkeypatch.chdir(tmp_path)
    Path("net.prototxt").write_text(NET)
    Net(parse_net(NET), get_backend("cpu"), phase=caffe_pb2.TEST, seed=1).save("w.caffemodel")
    for number, (name, count) in enumerate(COUNTS.items()):
        write_frames(Path("frames") / name, noisy(number, count, 8, 8), "rgb")
    return tmp_path


def features(*words: str) -> int:
    return main(["features", "--net", "net.prototxt", "--weights", "w.caffemodel", "--cpu",
                 "--resize", "8", "--mean", "1,2,3", *words])


def of_pictures(*files: str) -> np.ndarray:
    assert features(*files, "--blob", "fc7", "--out", "p.npy") == 0
    return np.load("p.npy")


def test_hdf5(videos, capsys):
    assert features("--videos", "frames", "--stride", "3", "--blob", "fc7", "--out", "f.h5") == 0
    assert "2 videos, 4 frames, 4 features each, in f.h5" in capsys.readouterr().out
    found = open_features("f.h5")
    assert dict(found.counts) == {"first": 3, "film/second": 1}
    wanted = of_pictures(*(f"frames/first/first.{n:04d}.png" for n in (1, 4, 7)))
    np.testing.assert_allclose(found.read("first"), wanted, rtol=1e-5)
    assert (wanted >= 0).all() and (wanted > 0).any()  # after the ReLU, which works in place


def test_lines(videos):
    assert features("--videos", "frames/first", "--stride", "1", "--out", "f.csv") == 0
    lines = Path("f.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == [f"first_{n}" for n in range(1, 8)]
    assert open_features("f.csv").read("first").shape == (7, 2)


def test_a_video_file_is_its_frames(videos):
    pytest.importorskip("av")
    from tests.tasks.activity.videos import write_video
    write_video(Path("clip.avi"), noisy(0, 7, 8, 8))
    assert features("--videos", "clip.avi", "frames/first", "--stride", "2", "--out", "f.h5") == 0
    found = open_features("f.h5")
    assert dict(found.counts) == {"clip": 4, "first": 4}
    np.testing.assert_allclose(found.read("clip"), found.read("first"), rtol=1e-5)


@pytest.mark.parametrize("words, message", [
    (["--videos", "frames", "--out", "f.csv", "--blob", "fc6"], "no such blob"),
    (["--videos", "frames", "--out", "f.npy"], "the ending of the file tells its form"),
    (["--videos", "gone", "--out", "f.h5"], "gone"),
    (["x.jpg", "--videos", "frames", "--out", "f.h5"], "exclude each other"),
    (["--videos", "frames", "frames/first", "--out", "f.h5"], "two videos have one name")])
def test_wrong_use(videos, words, message, capsys):
    assert features(*words) == 1
    assert message in capsys.readouterr().err
    assert not list(Path().glob("f.*"))


def test_names_that_lines_cannot_hold(videos, capsys):
    write_frames(Path("frames/v_1"), noisy(0, 1, 8, 8), "rgb")
    assert features("--videos", "frames", "--out", "f.csv") == 1
    assert "ends at the first _ (got v_1)" in capsys.readouterr().err
    assert features("--videos", "frames", "--out", "f.h5") == 0
