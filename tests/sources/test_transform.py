"""Crop, mirror, mean and scale."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.sources.transform import Picture, Transform, from_param

TRAIN, TEST = 0, 1
PICTURE = np.random.default_rng(9).integers(0, 256, (5, 8, 3), np.uint8)
PLANES = PICTURE.transpose(2, 0, 1).astype(np.float32)


class Draws:
    """Gives prescribed numbers, and notes the bounds asked for."""

    def __init__(self, *numbers):
        self.numbers, self.bounds = list(numbers), []

    def integers(self, bound):
        self.bounds.append(bound)
        return self.numbers.pop(0)


def apply(transform, rng=None, image=PICTURE):
    out = np.empty(transform.shape(image.shape), np.float32)
    transform.apply(Picture(image), rng, out)
    return out


def test_plain():
    np.testing.assert_array_equal(apply(Transform()), PLANES)


def test_mean_is_subtracted_before_scaling():
    got = apply(Transform(scale=0.5, mean=np.float32([10, 20, 30])))
    np.testing.assert_array_equal(got, (PLANES - np.float32([10, 20, 30])[:, None, None]) / 2)
    np.testing.assert_array_equal(apply(Transform(mean=np.float32([7]))), PLANES - 7)


def test_draws_come_in_the_order_mirror_row_column():
    draws = Draws(1, 2, 4)
    got = apply(Transform(mirror=True, crop_size=3, phase=TRAIN), draws)
    assert draws.bounds == [2, 3, 6]
    np.testing.assert_array_equal(got, PLANES[:, 2:5, 4:7][:, :, ::-1])


def test_crop_is_central_in_test():
    got = apply(Transform(crop_size=3, phase=TEST), Draws())
    np.testing.assert_array_equal(got, PLANES[:, 1:4, 2:5])


def test_mirror_acts_in_test_too():
    # CAFFE-QUIRK
    draws = Draws(1)
    got = apply(Transform(mirror=True, crop_size=3, phase=TEST), draws)
    np.testing.assert_array_equal(got, PLANES[:, 1:4, 2:5][:, :, ::-1])


@pytest.mark.parametrize("flip", [0, 1])
def test_mean_picture_is_cropped_and_mirrored_along(flip):
    mean = np.random.default_rng(1).normal(size=(3, 5, 8)).astype(np.float32)
    got = apply(Transform(mirror=True, crop_size=4, mean=mean, phase=TRAIN), Draws(flip, 1, 3))
    want = (PLANES - mean)[:, 1:5, 3:7]
    np.testing.assert_array_equal(got, want[:, :, ::-1] if flip else want)


@pytest.mark.parametrize("flip", [0, 1])
def test_flow_is_inverted_where_mirrored_before_the_mean(flip):
    mean = np.float32([1, 2, 3])[:, None, None]
    got = apply(Transform(mirror=True, flow=True, mean=mean.ravel(), scale=2), Draws(flip))
    want = PLANES.copy()
    if flip:
        want = want[:, :, ::-1].copy()
        want[2] = 255 - want[2]
    np.testing.assert_array_equal(got, (want - mean) * 2)


def test_flow_needs_a_third_channel_to_invert():
    got = apply(Transform(mirror=True, flow=True), Draws(1), PICTURE[:, :, :2])
    np.testing.assert_array_equal(got, PLANES[:2, :, ::-1])


@pytest.mark.parametrize("transform, draws", [
    (Transform(), False), (Transform(mirror=True, phase=TEST), True),
    (Transform(crop_size=2, phase=TEST), False), (Transform(crop_size=2, phase=TRAIN), True)])
def test_random_numbers_are_drawn_only_where_needed(transform, draws):
    assert transform.draws is draws


@pytest.mark.parametrize("transform, message", [
    (Transform(crop_size=6), "smaller than the crop.*5x8.*crop_size 6"),
    (Transform(mean=np.zeros(2)), "got 2, wanted 1, or one for each of 3 channels"),
    (Transform(mean=np.zeros((3, 5, 7))), r"before cropping.*\(3, 5, 7\).*\(3, 5, 8\)")])
def test_what_does_not_fit_is_refused(transform, message):
    with pytest.raises(DataError, match=message):
        transform.shape(PICTURE.shape)


def test_from_param():
    param = caffe_pb2.TransformationParameter(scale=0.25, mirror=True, crop_size=7,
                                              mean_value=[1, 2, 3], flow=True)
    got = from_param(param, TEST)
    assert (got.scale, got.mirror, got.crop_size, got.phase) == (0.25, True, 7, TEST)
    assert got.flow and not from_param(caffe_pb2.TransformationParameter(), TEST).flow
    assert got.mean.tolist() == [1, 2, 3]
    assert from_param(caffe_pb2.TransformationParameter(), TRAIN) == Transform()


def test_two_means_are_refused():
    param = caffe_pb2.TransformationParameter(mean_file="a", mean_value=[1])
    with pytest.raises(DataError, match="both given"):
        from_param(param, TRAIN)
