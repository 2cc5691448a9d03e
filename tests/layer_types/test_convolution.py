"""Convolution: recorded cases, gradients in 0 to 3 dimensions, and what is refused."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError, ShapeError
from tests.harness.layers import break_op, check_gradients, make_layer, run_golden

FILLERS = "weight_filler { type: 'gaussian' } bias_filler { type: 'gaussian' }"


def convolution(extra, count=1, layer=""):
    ends = " ".join(f'bottom: "x{i}" top: "y{i}"' for i in range(count))
    return (f'layer {{ name: "conv" type: "Convolution" {ends} {layer} '
            f'convolution_param {{ num_output: 4 {FILLERS} {extra} }} }}')


def picture(*shape):
    return np.random.default_rng(len(shape)).normal(size=shape)


@pytest.mark.parametrize("name", ["conv", "conv_1x1_nobias", "conv_dilated", "conv_rect",
                                  "conv_stride_pad_group"])
def test_golden(name, any_backend):
    run_golden(name, any_backend)


@pytest.mark.parametrize("extra, shape, top", [
    ("kernel_size: 3 stride: 2 pad: 1 group: 2", (2, 4, 6, 5), (2, 4, 3, 3)),
    ("kernel_h: 2 kernel_w: 3 stride_h: 1 stride_w: 2 pad_w: 1", (2, 3, 4, 5), (2, 4, 3, 3)),
    ("kernel_size: 3 dilation: 2 pad: 2 pad: 1 bias_term: false", (1, 2, 5, 6), (1, 4, 5, 4)),
    ("kernel_size: 3 stride: 2", (2, 3, 7), (2, 4, 3)),
    ("kernel_size: 2 kernel_size: 1 kernel_size: 3", (2, 2, 3, 4, 5), (2, 4, 2, 4, 3)),
    ("", (3, 5), (3, 4)),
    ("kernel_size: 6 stride: 2 pad: 1", (2, 3, 3, 5), (2, 4, 1, 1)),
    ("kernel_size: 2 axis: -3", (2, 2, 3, 4, 4), (2, 2, 4, 3, 3)),
    ("kernel_size: 2 axis: 0", (3, 4, 4), (4, 3, 3)),
    ("kernel_size: 2 engine: CUDNN force_nd_im2col: true", (1, 2, 3, 3), (1, 4, 2, 2)),
])
def test_gradients_and_shape(extra, shape, top, any_backend64):
    case = make_layer(convolution(extra), [picture(*shape)])
    assert case.top[0].shape == top
    check_gradients(convolution(extra), [picture(*shape)], backend=any_backend64)


def test_several_bottoms_share_the_weights():
    bottoms = [picture(2, 3, 5, 5), 2 * picture(2, 3, 5, 5)]
    check_gradients(convolution("kernel_size: 3", count=2), bottoms, wrt=[0, 1])


def flipped(true):
    """Break the gradient of the weights: accumulate the mirrored kernel."""
    def plan(spec, shape, backend):
        made = true(spec, shape, backend)
        right = made.backward_weights

        def backward_weights(x, dy, dw):
            own = np.zeros_like(dw)
            right(x, dy, own)
            dw += own[..., ::-1]
        made.backward_weights = backward_weights
        return made
    return plan


def without_bias(true):
    def plan(spec, shape, backend):
        made = true(spec, shape, backend)
        made.backward_bias = lambda dy, db: None
        return made
    return plan


@pytest.mark.parametrize("broken", [flipped, without_bias])
def test_gradient_check_catches(broken):
    def mutate(layer):
        break_op("conv", "plan", broken)(layer)
        layer._planned = ()

    with pytest.raises(AssertionError, match="gradient|empty"):
        check_gradients(convolution("kernel_size: 3"), [picture(2, 3, 5, 5)], mutate=mutate)


def test_follows_the_size_of_the_picture():
    case = make_layer(convolution("kernel_size: 3"), [picture(2, 3, 5, 5)])
    whole = picture(1, 3, 8, 6)
    case.bottom[0].reshape(*whole.shape)
    case.bottom[0].host_data[...] = whole
    case.forward()
    fresh = make_layer(convolution("kernel_size: 3"), [whole])
    fresh.forward()
    np.testing.assert_array_equal(case.top[0].host_data, fresh.top[0].host_data)


@pytest.mark.parametrize("extra, shape, message", [
    ("kernel_size: 3 stride_h: 2", (2, 3, 5, 5), "stride_h is given without stride_w"),
    ("kernel_w: 3", (2, 3, 5, 5), "kernel_w is given without kernel_h"),
    ("kernel_size: 3 kernel_h: 3 kernel_w: 3", (2, 3, 5, 5), "exclude each other"),
    ("kernel_h: 3 kernel_w: 3", (2, 3, 5), "kernel_h needs two spatial axes"),
    ("", (2, 3, 5, 5), "kernel_size is missing"),
    ("kernel_size: 3 kernel_size: 3 kernel_size: 3", (2, 3, 5, 5), "got 3, wanted 1, or 2"),
    ("kernel_size: 3 stride: 0", (2, 3, 5, 5), "stride must be at least 1"),
    ("kernel_size: 0", (2, 3, 5, 5), "kernel_size must be at least 1"),
    ("kernel_size: 3 group: 2", (2, 3, 5, 5), "channels must be a multiple of group"),
    ("kernel_size: 3 group: 3", (2, 3, 5, 5), "num_output must be a multiple of group"),
    ("kernel_size: 3 group: 0", (2, 3, 5, 5), "group must be positive"),
    ("kernel_size: 6", (2, 3, 5, 5), "larger than the padded input"),
    ("kernel_size: 7 stride: 2", (2, 3, 5, 5), "larger than the padded input"),
    ("kernel_size: 3 axis: 4", (2, 3, 5, 5), "axis 4 is out of range"),
])
def test_refuses(extra, shape, message):
    with pytest.raises((PrototxtError, ShapeError), match=message) as caught:
        make_layer(convolution(extra), [picture(*shape)])
    assert "test.prototxt:1" in str(caught.value) and "layer 'conv'" in str(caught.value)


def test_refuses_bottoms_of_two_shapes_and_new_channels():
    with pytest.raises(ShapeError, match="all inputs must have one shape"):
        make_layer(convolution("kernel_size: 3", count=2),
                   [picture(2, 3, 5, 5), picture(2, 3, 5, 6)])
    case = make_layer(convolution("kernel_size: 3"), [picture(2, 3, 5, 5)])
    case.bottom[0].reshape(2, 4, 5, 5)
    with pytest.raises(ShapeError, match="3 channels at axis 1"):
        case.forward()


@pytest.mark.parametrize("blobs, kind, message", [
    ("blobs { shape { dim: 4 dim: 27 } } blobs { }", ShapeError, "another shape"),
    ("blobs { } blobs { } blobs { }", PrototxtError, "got 3, wanted 2"),
])
def test_checks_blobs_given_in_the_definition(blobs, kind, message):
    with pytest.raises(kind, match=message):
        make_layer(convolution("kernel_size: 3", layer=blobs), [picture(2, 3, 5, 5)])


@pytest.mark.parametrize("extra, rows", [("", 1), ("dilation: 2 pad: 1", 2), ("group: 2", 1)])
def test_a_kernel_that_sticks_out_by_less_than_the_stride_reads_zeros(extra, rows, any_backend,
                                                                      caplog):
    """CAFFE-QUIRK: the size is cut towards 0, so 1 is left; the input continues with zeros."""
    x = picture(2, 4, 3, 6)
    text = convolution("kernel_size: 4 stride: 3 " + extra)
    short = make_layer(text, [x], backend=any_backend)
    assert "layer 'conv': the kernel (4, 4) is larger than the padded input" in caplog.text
    long = make_layer(text, [np.pad(x, ((0, 0), (0, 0), (0, rows), (0, 0)))], backend=any_backend)
    for case in (short, long):
        case.forward()
        case.backward([np.ones(case.top[0].shape)])
    assert short.top[0].shape == long.top[0].shape and short.top[0].shape[2] == 1
    for got, want in ((short.top[0].host_data, long.top[0].host_data),
                      (short.bottom[0].host_diff, long.bottom[0].host_diff[:, :, :3]),
                      (short.layer.blobs[0].host_diff, long.layer.blobs[0].host_diff)):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
