"""Bilinear resizing: against a float version, and properties."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.sources.resize import enlarged_size, resize

PICTURE = np.random.default_rng(7).integers(0, 256, (17, 23, 3), np.uint8)


def resize_plainly(image, height, width):
    """Interpolate one pixel at a time in floating point."""
    out = np.zeros((height, width, image.shape[2]))
    for y in range(height):
        for x in range(width):
            fy = np.clip((y + 0.5) * image.shape[0] / height - 0.5, 0, image.shape[0] - 1)
            fx = np.clip((x + 0.5) * image.shape[1] / width - 0.5, 0, image.shape[1] - 1)
            for row, wy in ((int(fy), 1 - fy % 1), (int(fy) + 1, fy % 1)):
                for column, wx in ((int(fx), 1 - fx % 1), (int(fx) + 1, fx % 1)):
                    if wy and wx:
                        out[y, x] += wy * wx * image[row, column]
    return out


@pytest.mark.parametrize("height, width", [(17, 11), (5, 23), (8, 9), (40, 31), (1, 1), (3, 60)])
def test_agrees_with_floating_point(height, width):
    got = resize(PICTURE, height, width)
    assert got.shape == (height, width, 3) and got.dtype == np.uint8
    assert np.abs(got - resize_plainly(PICTURE, height, width)).max() < 1


def test_two_taps_only():
    # No antialiasing: shrinking by 4 looks at the two middle pixels of each four.
    line = np.array([[0, 100, 200, 0] * 2], np.uint8)[:, :, None]
    assert resize(line, 1, 2).ravel().tolist() == [150, 150]


@pytest.mark.parametrize("value", [0, 1, 127, 255])
def test_plain_pictures_stay_plain(value):
    plain = np.full((9, 7, 1), value, np.uint8)
    assert (resize(plain, 13, 5) == value).all()


def test_same_size_is_untouched():
    assert resize(PICTURE, 17, 23) is PICTURE


def test_channels_do_not_mix():
    one_by_one = [resize(PICTURE[:, :, c:c + 1], 9, 30) for c in range(3)]
    np.testing.assert_array_equal(resize(PICTURE, 9, 30), np.concatenate(one_by_one, axis=2))


@pytest.mark.parametrize("size, minimum, want", [
    ((50, 60), (40, 40), (50, 60)), ((30, 60), (40, 40), (40, 80)), ((60, 30), (40, 40), (80, 40)),
    ((30, 20), (40, 40), (60, 40)), ((33, 50), (40, 40), (40, 61))])
def test_enlarged_size(size, minimum, want):
    assert enlarged_size(size, minimum) == want
