"""classify.py and detect.py, on a net small enough to compute by hand."""
from __future__ import annotations

import csv

import h5py
import numpy as np
import pytest
from PIL import Image

import caffe_lrcn as caffe
from caffe_lrcn.caffe_tools.classify import load_pictures, numbers
from caffe_lrcn.caffe_tools.compute_image_mean import read_mean, write_mean
from caffe_lrcn.caffe_tools.detect import read_windows, write_detections
from caffe_lrcn.errors import DataError, UsageError
from tests.caffe_tools.scripts import run

# The mean of each channel of the crop.
NET = """layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 2 dim: 3 dim: 4 dim: 4 } } }
layer { name: "pool" type: "Pooling" bottom: "data" top: "score"
  pooling_param { pool: AVE global_pooling: true } }
"""
RED, BLUE = (200, 0, 0), (0, 0, 100)


@pytest.fixture
def model(tmp_path):
    """The flags of a net that gives the mean of each channel."""
    (tmp_path / "net.prototxt").write_text(NET)
    caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST).save(str(tmp_path / "w.caffemodel"))
    return ["--model_def", tmp_path / "net.prototxt",
            "--pretrained_model", tmp_path / "w.caffemodel"]


@pytest.fixture
def pictures(tmp_path):
    """A folder with a red picture, a blue one, and one with another ending."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, colour in (("a.png", RED), ("b.png", BLUE), ("c.bmp", (9, 9, 9))):
        Image.new("RGB", (12, 8), colour).save(folder / name)
    return folder


@pytest.mark.parametrize("flags", [[], ["--center_only"], ["--input_scale", "2"]])
def test_classify_a_folder(model, pictures, tmp_path, flags):
    write_mean(str(tmp_path / "m.binaryproto"),
               np.broadcast_to(np.float32([[[1]], [[2]], [[3]]]), (3, 6, 6)))
    assert run("classify", pictures, tmp_path / "out.npy", *model, "--ext", "png", *flags,
               "--images_dim", "6,6", "--mean_file", tmp_path / "m.binaryproto") == 0
    # BGR with the mean taken off
    wanted = np.array([[0, 0, 200], [100, 0, 0]]) - [1, 2, 3]
    scores = np.load(tmp_path / "out.npy").reshape(2, 3)
    np.testing.assert_allclose(scores, wanted * (2 if "2" in flags else 1), atol=1e-3)


def test_classify_one_picture_and_an_array(model, pictures, tmp_path, capsys):
    np.save(tmp_path / "in.npy", np.full((3, 8, 8, 3), 0.5, np.float32))
    rest = [*model, "--mean_file", "", "--images_dim", "4,4", "--channel_swap", ""]
    assert run("classify", pictures / "a.png", tmp_path / "one.npy", *rest) == 0
    assert run("classify", tmp_path / "in.npy", tmp_path / "three.npy", *rest) == 0
    assert "Classifying 3 inputs." in capsys.readouterr().out
    np.testing.assert_allclose(np.load(tmp_path / "one.npy").ravel(), RED, atol=1e-3)
    np.testing.assert_allclose(np.load(tmp_path / "three.npy").ravel(), [127.5] * 9, atol=1e-3)


def test_a_missing_mean_is_an_error(model, pictures, tmp_path, capsys):
    assert run("classify", pictures, tmp_path / "out.npy", *model) == 1
    assert "an empty name stands for no mean" in capsys.readouterr().err


@pytest.mark.parametrize(("flags", "wanted"), [
    ([], (np.array([0, 0, 200]) - [1, 2, 3]) * 2),
    (["--input_scale", "1"], np.array([0, 0, 200]) - [1, 2, 3]),
    (["--mean_file", "", "--images_dim", "5,5"], np.array([0, 0, 200]) * 2)])
def test_what_the_net_states_stands_in_for_flags(model, pictures, tmp_path, flags, wanted):
    (tmp_path / "net.prototxt").write_text(NET.replace(
        "} } }", "} } transform_param { mean_value: 1 mean_value: 2 mean_value: 3 scale: 2 "
                 "crop_size: 4 } image_data_param { new_height: 6 new_width: 6 } }", 1))
    assert run("classify", pictures / "a.png", tmp_path / "out.npy", *model, *flags) == 0
    np.testing.assert_allclose(np.load(tmp_path / "out.npy").ravel(), wanted, atol=1e-3)


def test_one_mean_that_the_net_states_is_for_all_channels(model, pictures, tmp_path):
    (tmp_path / "net.prototxt").write_text(NET.replace(
        "} } }", "} } transform_param { mean_value: 7 } }", 1))
    assert run("classify", pictures / "a.png", tmp_path / "out.npy", *model) == 0
    np.testing.assert_allclose(np.load(tmp_path / "out.npy").ravel(), [-7, -7, 193], atol=1e-3)


@pytest.mark.parametrize(("text", "count", "wanted"), [
    ("2,1,0", None, [2, 1, 0]), ("", None, None), ("256,256", 2, [256, 256])])
def test_numbers(text, count, wanted):
    assert numbers(text, count) == wanted


@pytest.mark.parametrize(("text", "count"), [("a,b", None), ("1", 2), ("1,,2", None)])
def test_no_numbers(text, count):
    with pytest.raises(UsageError, match="whole numbers"):
        numbers(text, count)


def test_no_pictures(tmp_path):
    with pytest.raises(DataError, match="holds no pictures .*end in .jpg.*--ext"):
        load_pictures(str(tmp_path), "jpg")
    np.save(tmp_path / "x.npy", np.zeros((2, 3)))
    with pytest.raises(DataError, match="not pictures"):
        load_pictures(str(tmp_path / "x.npy"), "jpg")


@pytest.mark.parametrize("array", [np.zeros((2, 2)), np.zeros((2, 3, 4, 5))])
def test_no_mean(tmp_path, array):
    np.save(tmp_path / "m.npy", array)
    with pytest.raises(DataError, match="not a mean picture"):
        read_mean(str(tmp_path / "m.npy"))


# -- detect --------------------------------------------------------------------------------


@pytest.fixture
def windows(tmp_path):
    """A picture, red above and blue below, and a table of one window in each half."""
    picture = Image.new("RGB", (10, 12), RED)
    picture.paste(BLUE, (0, 6, 10, 12))
    picture.save(tmp_path / "p.png")
    (tmp_path / "w.csv").write_text("filename,ymin,xmin,ymax,xmax\n"
                                    f"{tmp_path}/p.png,7,1,11,8\n{tmp_path}/p.png,0,2,4,7\n")
    return tmp_path / "w.csv"


def test_detect_writes_a_table(model, windows, tmp_path):
    assert run("detect", windows, tmp_path / "out.csv", *model, "--crop_mode=list", "--mean_file=",
               "--context_pad=0") == 0
    with open(tmp_path / "out.csv", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["filename", "ymin", "xmin", "ymax", "xmax", "class0", "class1", "class2"]
    assert [row[0] for row in rows] == [f"{tmp_path}/p.png"] * 2
    np.testing.assert_allclose(np.array([row[1:] for row in rows], float),
                               [[7, 1, 11, 8, 100, 0, 0], [0, 2, 4, 7, 0, 0, 200]], atol=1e-3)


def test_detect_writes_hdf5(model, windows, tmp_path):
    np.save(tmp_path / "mean.npy", np.float32([[[0, 2]], [[4, 4]], [[5, 7]]]))
    assert run("detect", windows, tmp_path / "out.h5", *model, "--crop_mode=list",
               "--context_pad=0", "--mean_file", tmp_path / "mean.npy") == 0
    with h5py.File(tmp_path / "out.h5") as file:
        assert [name.decode() for name in file["filename"]] == [f"{tmp_path}/p.png"] * 2
        assert file["window"][1].tolist() == [0, 2, 4, 7]
        np.testing.assert_allclose(file["prediction"][:].reshape(2, 3),
                                   np.array([[100, 0, 0], [0, 0, 200]]) - [1, 4, 6], atol=1e-3)


def test_selective_search_is_not_included(model, windows, tmp_path, capsys):
    assert run("detect", windows, tmp_path / "out.csv", *model, "--mean_file=") == 1
    assert "selective search" in capsys.readouterr().err


@pytest.mark.parametrize(("table", "told"), [
    ("filename,ymin,xmin\n", "wanted ymax, xmax"), ("", "lacks columns"),
    ("filename,ymin,xmin,ymax,xmax\na,1,2,3,x\n", "w.csv:2: a window's edge is not a number"),
    ("filename,ymin,xmin,ymax,xmax\na,1\n", "is not a number"),
])
def test_bad_tables(tmp_path, table, told):
    (tmp_path / "w.csv").write_text(table)
    with pytest.raises(DataError, match=told):
        read_windows(str(tmp_path / "w.csv"))


def test_missing_table(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_windows(str(tmp_path / "none.csv"))


def test_pictures_are_sorted_and_windows_stay_together(tmp_path):
    (tmp_path / "w.csv").write_text("xmax,filename,ymin,xmin,ymax,more\n"
                                    "4,b,1,2,3,x\n8,a,5,6,7,x\n9,b,0,0,9,x\n")
    (first, one), (second, two) = read_windows(str(tmp_path / "w.csv"))
    assert (first, second) == ("a", "b")
    assert one.tolist() == [[5, 6, 7, 8]] and two.tolist() == [[1, 2, 3, 4], [0, 0, 9, 9]]


@pytest.mark.parametrize("name", ["none.csv", "none.h5"])
def test_no_windows_give_an_empty_file(tmp_path, name):
    write_detections(str(tmp_path / name), [])
    assert (tmp_path / name).exists()


@pytest.mark.parametrize(("name", "error"), [("out.txt", UsageError), ("no/out.csv", DataError),
                                             ("no/out.h5", DataError)])
def test_detections_that_cannot_be_written(tmp_path, name, error):
    (tmp_path / "no").write_bytes(b"")  # a file where a folder would be needed
    with pytest.raises(error):
        write_detections(str(tmp_path / name), [])
