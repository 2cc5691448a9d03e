"""``Classifier`` and ``Detector``."""
from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import caffe_lrcn as caffe
from caffe_lrcn.errors import UsageError
from tests.pycaffe.nets import write

# Each score is the mean of a channel of the (BGR) input.
NET = """
layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 4 dim: 3 dim: 4 dim: 4 } } }
layer { name: "mean" type: "Pooling" bottom: "data" top: "mean"
  pooling_param { pool: AVE global_pooling: true } }
layer { name: "flat" type: "Flatten" bottom: "mean" top: "flat" }
"""
RNG = np.random.default_rng(5)


@pytest.fixture
def files(tmp_path):
    path, weights = write(tmp_path, NET), str(tmp_path / "w.caffemodel")
    caffe.Net(path, caffe.TEST).save(weights)
    return path, weights


def test_ten_crops_are_averaged(files):
    classifier = caffe.Classifier(*files, image_dims=(6, 8), raw_scale=2, channel_swap=(2, 1, 0),
                                  mean=np.array([1.0, 2, 3]))
    images = [RNG.uniform(size=(6, 8, 3)), RNG.uniform(size=(9, 5, 3))]
    scores = classifier.predict(images)
    assert isinstance(classifier, caffe.Net) and scores.shape == (2, 3)
    for image, score in zip(images, scores, strict=True):
        resized = caffe.io.resize_image(image, (6, 8))
        crops = caffe.io.oversample([resized], (4, 4))
        want = 2 * crops.mean((0, 1, 2))[::-1] - [1, 2, 3]
        np.testing.assert_allclose(score, want, rtol=1e-4)


def test_the_crop_in_the_centre(files):
    # CAFFE-QUIRK: the centre is rounded down.
    classifier = caffe.Classifier(*files, image_dims=(7, 5))
    image = RNG.uniform(size=(7, 5, 3))
    got = classifier.predict([image] * 6, oversample=False)
    assert got.shape == (6, 3)
    np.testing.assert_allclose(got[5], image[1:5, 0:4].mean((0, 1)), rtol=1e-5)
    same = caffe.Classifier(*files)
    assert same.image_dims.tolist() == [4, 4]
    np.testing.assert_allclose(same.predict([image[:4, :4]], False)[0],
                               image[:4, :4].mean((0, 1)), rtol=1e-5)
    with pytest.raises(UsageError, match="smaller than the crop"):
        caffe.Classifier(*files, image_dims=(3, 3)).predict([image])


@pytest.fixture
def photo(tmp_path):
    pixels = RNG.integers(0, 256, (12, 10, 3), dtype=np.uint8)
    path = str(tmp_path / "photo.png")
    Image.fromarray(pixels).save(path)
    return path, pixels / 255


def test_windows_are_scored(files, photo):
    path, image = photo
    detector = caffe.Detector(*files, raw_scale=255, channel_swap=(2, 1, 0))
    windows = np.array([[0, 0, 4, 4], [3, 5, 7, 9]])
    found = detector.detect_windows([(path, windows), (path, [[1.0, 1.0, 5.2, 4.8]])])
    assert [entry["filename"] for entry in found] == [path] * 3
    for entry in found[:2]:
        y0, x0, y1, x1 = entry["window"]
        np.testing.assert_allclose(entry["prediction"],
                                   255 * image[y0:y1, x0:x1].mean((0, 1))[::-1], rtol=1e-4)
    np.testing.assert_allclose(found[2]["prediction"],
                               255 * image[1:5, 1:5].mean((0, 1))[::-1], rtol=1e-4)
    assert detector.detect_windows([]) == []
    with pytest.raises(UsageError, match="no pixels"):
        detector.crop(image, (5, 5, 5, 9))


def test_windows_with_context(files):
    mean = np.array([10.0, 20, 30])
    detector = caffe.Detector(*files, raw_scale=255, channel_swap=(2, 1, 0), mean=mean,
                              context_pad=1)
    np.testing.assert_allclose(detector.crop_mean[0, 0], mean[::-1] / 255, rtol=1e-6)
    image = RNG.uniform(size=(12, 12, 3))
    # 2 of 4 pixels are left for the window: twice its size is cut out.
    inner = detector.crop(image, (4, 4, 7, 7))
    np.testing.assert_allclose(inner, caffe.io.resize_image(image[2:10, 2:10], (4, 4)), atol=1e-6)
    corner = detector.crop(image, (0, 0, 3, 3))
    assert corner.shape == (4, 4, 3)
    border = np.broadcast_to(mean[::-1] / 255, (4, 3))
    np.testing.assert_allclose(corner[0], border, rtol=1e-5)
    np.testing.assert_allclose(corner[:, 0], border, rtol=1e-5)
    assert np.abs(corner[1:, 1:] - border[0]).min() > 1e-3
    with pytest.raises(UsageError, match="no pixels"):
        detector.crop(image, (40, 40, 44, 44))
    detector.configure_crop(None)
    assert detector.crop(image, (4, 4, 7, 7)).shape == (3, 3, 3)


def test_context_without_a_mean_is_black(files):
    detector = caffe.Detector(*files, context_pad=1)
    corner = detector.crop(np.ones((12, 12, 3)), (0, 0, 3, 3))
    assert not corner[0].any() and (corner[1:, 1:] == 1).all()


def test_selective_search_points_elsewhere(files):
    with pytest.raises(UsageError, match="use detect_windows"):
        caffe.Detector(*files).detect_selective_search(["x.png"])
