"""Deconvolution: recorded case, gradients in 0 to 3 dimensions, a plain loop, what is refused."""
from __future__ import annotations

import itertools

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import PrototxtError, ShapeError
from tests.harness.layers import (
    break_op,
    check_broken_is_caught,
    check_gradients,
    make_layer,
    run_golden,
)

FILLERS = "weight_filler { type: 'gaussian' } bias_filler { type: 'gaussian' }"
GEOMETRIES = [
    ("kernel_size: 3 stride: 2 pad: 1 group: 2", (2, 4, 3, 4), (2, 6, 5, 7)),
    ("kernel_h: 2 kernel_w: 3 stride_h: 3 stride_w: 2 pad_h: 0 pad_w: 1", (2, 3, 3, 4),
     (2, 6, 8, 7)),
    ("kernel_size: 3 dilation: 2 pad: 2 pad: 1 bias_term: false", (1, 2, 3, 4), (1, 6, 3, 6)),
    ("kernel_size: 3 stride: 2", (2, 3, 4), (2, 6, 9)),
    ("kernel_size: 2 kernel_size: 1 kernel_size: 3", (2, 2, 3, 2, 2), (2, 6, 4, 2, 4)),
    ("", (3, 5), (3, 6)),
    ("kernel_size: 2 axis: -3", (2, 2, 3, 2, 3), (2, 2, 6, 3, 4)),
    ("kernel_size: 1", (2, 3, 2, 2), (2, 6, 2, 2)),
]


def deconvolution(extra, count=1, layer=""):
    ends = " ".join(f'bottom: "x{i}" top: "y{i}"' for i in range(count))
    return (f'layer {{ name: "up" type: "Deconvolution" {ends} {layer} '
            f'convolution_param {{ num_output: 6 {FILLERS} {extra} }} }}')


def picture(*shape):
    return np.random.default_rng(len(shape)).normal(size=shape)


def test_golden(any_backend):
    run_golden("deconv", any_backend)


@pytest.mark.parametrize("extra, shape, top", GEOMETRIES)
def test_gradients_and_shape(extra, shape, top, any_backend64):
    case = make_layer(deconvolution(extra), [picture(*shape)])
    assert case.top[0].shape == top
    check_gradients(deconvolution(extra), [picture(*shape)], backend=any_backend64)


def test_several_bottoms_share_the_weights():
    bottoms = [picture(2, 3, 3, 3), 2 * picture(2, 3, 3, 3)]
    check_gradients(deconvolution("kernel_size: 3", count=2), bottoms, wrt=[0, 1])


@pytest.mark.parametrize("extra, shape, top", GEOMETRIES[:3])
def test_values_agree_with_a_plain_loop(extra, shape, top):
    case = make_layer(deconvolution(extra), [picture(*shape)], backend=get_backend("cpu"))
    case.forward()
    spec, weights = case.layer.spec, case.layer.blobs[0].host_data
    whole = [n + 2 * p for n, p in zip(top[2:], spec.pad, strict=True)]
    want = np.zeros((*top[:2], *whole))
    per_group, outputs = shape[1] // spec.group, 6 // spec.group
    for c, h, w in itertools.product(*map(range, shape[1:])):
        for i, j in itertools.product(*map(range, spec.kernel)):
            start = c // per_group * outputs
            row = h * spec.stride[0] + i * spec.dilation[0]
            column = w * spec.stride[1] + j * spec.dilation[1]
            want[:, start:start + outputs, row, column] += (
                picture(*shape)[:, c, h, w][:, None] * weights[c, :, i, j])
    inner = tuple(slice(p, p + n) for p, n in zip(spec.pad, top[2:], strict=True))
    want = want[(slice(None), slice(None), *inner)]
    if spec.bias:
        want += case.layer.blobs[1].host_data[:, None, None]
    np.testing.assert_allclose(case.top[0].host_data, want, rtol=1e-4, atol=1e-4)


def scaled(method):
    """Break one method of the plan: its result is too large by a tenth."""
    def wrap(true):
        def plan(spec, shape, backend):
            made = true(spec, shape, backend)
            right = getattr(made, method)

            def broken(a, b, *rest):
                right(a, 1.1 * b, *rest)
            setattr(made, method, broken)
            return made
        return plan

    def mutate(layer):
        break_op("conv", "plan", wrap)(layer)
        layer._planned = ()
    return mutate


def without_bias(true):
    return lambda *args: None


@pytest.mark.parametrize("mutate", [
    scaled("forward"), scaled("backward_weights"),
    break_op("elementwise", "sum_to_channels", without_bias)])
def test_gradient_check_catches(mutate):
    check_broken_is_caught(deconvolution("kernel_size: 3 stride: 2"), [picture(2, 3, 3, 3)], mutate)


def test_follows_the_size_of_the_picture():
    case = make_layer(deconvolution("kernel_size: 3"), [picture(2, 3, 5, 5)])
    whole = picture(1, 3, 8, 6)
    case.bottom[0].reshape(*whole.shape)
    case.bottom[0].host_data[...] = whole
    case.forward()
    fresh = make_layer(deconvolution("kernel_size: 3"), [whole])
    fresh.forward()
    np.testing.assert_array_equal(case.top[0].host_data, fresh.top[0].host_data)


@pytest.mark.parametrize("extra, shape, message", [
    ("kernel_size: 3 group: 3", (2, 4, 5, 5), "channels must be a multiple of group"),
    ("kernel_size: 3 group: 4", (2, 4, 5, 5), "num_output must be a multiple of group"),
    ("kernel_size: 3 pad: 2", (2, 3, 1, 5), "the padding cuts the whole top off"),
    ("", (2, 3, 5, 5), "kernel_size is missing"),
    ("kernel_size: 3 axis: 4", (2, 3, 5, 5), "axis 4 is out of range"),
])
def test_refuses(extra, shape, message):
    with pytest.raises((PrototxtError, ShapeError), match=message) as caught:
        make_layer(deconvolution(extra), [picture(*shape)])
    assert "test.prototxt:1" in str(caught.value) and "layer 'up'" in str(caught.value)


def test_values_given_in_the_definition_have_the_transposed_shape():
    blobs = "blobs { shape { dim: 2 dim: 6 dim: 1 dim: 1 } " + "data: 0.5 " * 12 + "}"
    case = make_layer(deconvolution("kernel_size: 1 bias_term: false", layer=blobs),
                      [picture(1, 2, 2, 2)])
    case.forward()
    want = picture(1, 2, 2, 2).sum(axis=1, keepdims=True) / 2
    np.testing.assert_allclose(case.top[0].host_data, np.repeat(want, 6, axis=1))
