"""What picture files go through."""
import numpy as np
import pytest
from PIL import Image

from caffe_lrcn.errors import DataError
from caffe_lrcn.proto.caffe_pb2 import TEST
from caffe_lrcn.sources.preprocessing import Preprocessing
from caffe_lrcn.sources.transform import Transform


def save(path, pixels):
    Image.fromarray(pixels).save(path)
    return path


def preprocess(path, side, full, mean=(104, 117, 123)):
    return Preprocessing(Transform(crop_size=side, mean=np.array(mean, np.float32), phase=TEST),
                         (full, full))(path)


def test_centre_in_blue_green_red_less_the_mean(tmp_path):
    pixels = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    found = preprocess(save(tmp_path / "a.png", pixels), side=5, full=8)
    assert found.dtype == np.float32 and found.shape == (3, 5, 5)
    wanted = pixels[1:6, 1:6, ::-1].transpose(2, 0, 1) - np.reshape([104.0, 117, 123], (3, 1, 1))
    assert np.array_equal(found, wanted)


def test_nothing_to_crop_keeps_the_picture(tmp_path):
    pixels = np.full((6, 6, 3), 9, np.uint8)
    assert preprocess(save(tmp_path / "a.png", pixels), 6, 6).shape == (3, 6, 6)


def test_resized_whatever_its_aspect(tmp_path):
    pixels = np.full((20, 50, 3), (30, 20, 10), np.uint8)
    found = preprocess(save(tmp_path / "a.png", pixels), 6, 8, mean=(0, 0, 0))
    assert (found == np.reshape([10, 20, 30], (3, 1, 1))).all()


def test_grey_pictures_and_png_range(tmp_path):
    found = preprocess(save(tmp_path / "a.png", np.full((8, 8), 200, np.uint8)), 4, 8)
    assert found[:, 0, 0].tolist() == [96, 83, 77]


def test_wrong_calls(tmp_path):
    path = save(tmp_path / "a.png", np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(DataError, match="smaller than the crop"):
        preprocess(path, 8, 7)
    with pytest.raises(DataError, match="none.png"):
        preprocess(tmp_path / "none.png", 4, 8)
