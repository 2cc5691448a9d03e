"""Im2col: recorded case, gradients in 1 to 3 dimensions, a plain loop, what is refused."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError, ShapeError
from tests.harness.layers import (
    check_broken_is_caught,
    check_gradients,
    make_layer,
    run_golden,
)
from tests.layer_types.spoiled import spoiled

GEOMETRIES = [
    ("kernel_size: 3 stride: 2 pad: 1", (2, 3, 6, 5), (2, 27, 3, 3)),
    ("kernel_h: 2 kernel_w: 3 stride_h: 1 stride_w: 2 pad_w: 1", (2, 2, 4, 5), (2, 12, 3, 3)),
    ("kernel_size: 3 dilation: 2 pad: 2 pad: 1", (1, 2, 5, 6), (1, 18, 5, 4)),
    ("kernel_size: 3 stride: 2", (2, 3, 7), (2, 9, 3)),
    ("kernel_size: 2 kernel_size: 1 kernel_size: 3", (2, 2, 3, 4, 5), (2, 12, 2, 4, 3)),
    ("kernel_size: 2 axis: -3", (2, 2, 3, 4, 4), (2, 2, 12, 3, 3)),
    ("kernel_size: 2 axis: 0", (3, 4, 4), (12, 3, 3)),
    ("kernel_size: 2 num_output: 9 group: 7 force_nd_im2col: true", (1, 2, 3, 3), (1, 8, 2, 2)),
]


def im2col(extra):
    return ('layer { name: "cols" type: "Im2col" bottom: "x" top: "y" '
            f'convolution_param {{ {extra} }} }}')


def picture(*shape):
    return np.random.default_rng(len(shape)).normal(size=shape)


def test_golden(any_backend):
    run_golden("im2col", any_backend)


def loses_a_copy(top, bottom):
    bottom[0].diff.reshape(-1)[:] *= np.linspace(0.8, 1, bottom[0].count)


@pytest.mark.parametrize("extra, shape, top", GEOMETRIES)
def test_gradients_and_shape(extra, shape, top, any_backend64):
    case = make_layer(im2col(extra), [picture(*shape)])
    assert case.top[0].shape == top
    check_broken_is_caught(im2col(extra), [picture(*shape)], spoiled(loses_a_copy),
                           backend=any_backend64)


@pytest.mark.parametrize("extra, shape, top", GEOMETRIES[:3])
def test_each_column_is_a_window(extra, shape, top, any_backend64):
    case = make_layer(im2col(extra), [picture(*shape)], backend=any_backend64)
    for _ in range(2):  # what the first pass leaves in the border must not matter
        case.forward()
        case.backward([np.ones(top)])
    spec = case.layer.spec
    padded = np.pad(picture(*shape), [(0, 0), (0, 0), *((p, p) for p in spec.pad)])
    for row in range(top[2]):
        for column in range(top[3]):
            window = padded[:, :, row * spec.stride[0]:, column * spec.stride[1]:]
            window = window[:, :, ::spec.dilation[0], ::spec.dilation[1]]
            window = window[:, :, :spec.kernel[0], :spec.kernel[1]]
            np.testing.assert_array_equal(case.top[0].host_data[:, :, row, column],
                                          window.reshape(shape[0], -1))


def test_follows_the_size_of_the_picture():
    case = make_layer(im2col("kernel_size: 2"), [picture(1, 2, 5, 5)])
    case.bottom[0].reshape(3, 1, 3, 4)
    case.forward()
    assert case.top[0].shape == (3, 4, 2, 3)
    case.bottom[0].reshape(3, 1, 3)
    with pytest.raises(ShapeError, match="the number of spatial axes has changed"):
        case.forward()


@pytest.mark.parametrize("extra, shape, message", [
    ("kernel_size: 2", (2, 3), "no axis after the channels"),
    ("", (2, 3, 5, 5), "kernel_size is missing"),
    ("kernel_size: 7 stride: 2", (2, 3, 5, 5), "larger than the padded input"),
    ("kernel_size: 2 stride: 0", (2, 3, 5, 5), "stride must be at least 1"),
    ("kernel_size: 2 axis: 4", (2, 3, 5, 5), "axis 4 is out of range"),
])
def test_refuses(extra, shape, message):
    with pytest.raises((PrototxtError, ShapeError), match=message) as caught:
        make_layer(im2col(extra), [picture(*shape)])
    assert "test.prototxt:1" in str(caught.value) and "layer 'cols'" in str(caught.value)


def test_a_kernel_that_sticks_out_by_less_than_the_stride_reads_zeros(caplog):
    x = np.arange(1.0, 7).reshape(1, 1, 2, 3)
    case = make_layer(im2col("kernel_size: 3 stride: 2"), [x])
    assert "the kernel (3, 3) is larger than the padded input (2, 3)" in caplog.text
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data.ravel(), [1, 2, 3, 4, 5, 6, 0, 0, 0])
    check_gradients(im2col("kernel_size: 3 stride: 2"), [x])
