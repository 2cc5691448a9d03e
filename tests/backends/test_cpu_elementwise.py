from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.backends.cpu import elementwise as ops
from caffe_lrcn.backends.cpu.blocks import BLOCK
from caffe_lrcn.rng import random_words

_RNG = np.random.default_rng(0)
# Three blocks, the last one short and odd.
_LARGE = 2 * BLOCK + 4711
_KEY = (3, 5)
_SCRATCH = get_backend("cpu").scratch


def _random(*shape: int) -> np.ndarray:
    return _RNG.normal(size=shape)


_UNARY = {
    "relu": (lambda x, y: ops.relu_forward(x, 0, y, _SCRATCH), lambda x: np.maximum(x, 0)),
    "leaky": (lambda x, y: ops.relu_forward(x, 0.5, y, _SCRATCH),
              lambda x: np.where(x > 0, x, x / 2)),
    "sigmoid": (ops.sigmoid_forward, lambda x: 1 / (1 + np.exp(-x))),
    "tanh": (ops.tanh_forward, np.tanh),
    "power": (lambda x, y: ops.power_forward(x, 2, 3, 1, y), lambda x: (1 + 3 * x) ** 2),
}
_SLOPES = {
    "relu": (lambda x, dy, dx: ops.relu_backward(x, dy, 0, dx, _SCRATCH), lambda x: x > 0),
    "leaky": (lambda x, dy, dx: ops.relu_backward(x, dy, 0.5, dx, _SCRATCH),
              lambda x: np.where(x > 0, 1, 0.5)),
    "sigmoid": (lambda y, dy, dx: ops.sigmoid_backward(y, dy, dx, _SCRATCH), lambda y: y * (1 - y)),
    "tanh": (lambda y, dy, dx: ops.tanh_backward(y, dy, dx, _SCRATCH), lambda y: 1 - y**2),
    "power": (lambda x, dy, dx: ops.power_backward(x, None, dy, 3, 2, 1, dx, _SCRATCH),
              lambda x: 6 * (1 + 2 * x) ** 2),
}


@pytest.mark.parametrize("name", _UNARY)
def test_forward_over_several_blocks_and_in_place(name):
    op, formula = _UNARY[name]
    x, y = _random(_LARGE), np.empty(_LARGE)
    op(x, y)
    np.testing.assert_allclose(y, formula(x), rtol=1e-12)
    op(x, x)
    np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("name", _SLOPES)
def test_backward_over_several_blocks_and_in_place(name):
    op, formula = _SLOPES[name]
    x, dy, dx = _random(_LARGE), _random(_LARGE), np.empty(_LARGE)
    op(x, dy, dx)
    np.testing.assert_allclose(dx, dy * formula(x), rtol=1e-12)
    op(x, dy, dy)
    np.testing.assert_array_equal(dy, dx)


@pytest.mark.parametrize("shape", [(2, 3, BLOCK // 2), (BLOCK // 2, 3, 1), (1, 1, 1)])
def test_prelu_over_several_blocks(shape):
    x, dy = _random(*shape), _random(*shape)
    slope = _random(shape[1])
    y, dx, d_slope = np.empty(shape), np.empty(shape), np.ones(shape[1])
    ops.prelu_forward(x, slope, y, _SCRATCH)
    np.testing.assert_allclose(y, np.where(x > 0, x, x * slope[:, None]))
    ops.prelu_backward(x, dy, slope, dx, d_slope, _SCRATCH)
    np.testing.assert_allclose(dx, dy * np.where(x > 0, 1, slope[:, None]))
    np.testing.assert_allclose(d_slope, 1 + (np.minimum(x, 0) * dy).sum((0, 2)))


@pytest.mark.parametrize("count", [1, 7, _LARGE])
def test_dropout_masks_are_the_streams_words(count):
    x, y, mask = np.ones(count), np.empty(count), np.empty(count, np.uint32)
    ops.dropout_forward(x, mask, _KEY, 9, 2**31, 2.0, y, _SCRATCH)
    words = random_words(_KEY, 9, count)
    np.testing.assert_array_equal(mask, words)
    np.testing.assert_array_equal(y, 2.0 * (words >= 2**31))
    dx = np.empty(count)
    ops.dropout_backward(x, mask, 2**31, 2.0, dx, _SCRATCH)
    np.testing.assert_array_equal(dx, y)


def test_channel_ops():
    x, s, b, y = _random(2, 3, 4), _random(3), _random(3), np.empty((2, 3, 4))
    ops.channel_scale(x, s, b, y)
    np.testing.assert_allclose(y, x * s[:, None] + b[:, None])
    ops.channel_scale(x, s, None, y)
    np.testing.assert_allclose(y, x * s[:, None])
    ops.bias_add(x, b, y)
    np.testing.assert_allclose(y, x + b[:, None])
    total = np.ones(3)
    ops.sum_to_channels(x, total, _SCRATCH)
    np.testing.assert_allclose(total, 1 + x.sum((0, 2)))


def test_float32_stays_float32():
    x = np.ones(3, np.float32)
    ops.relu_forward(x, 0.25, x, _SCRATCH)
    ops.sigmoid_forward(x, x)
    ops.power_forward(x, 2.5, 3.5, 1.0, x)
    assert x.dtype == np.float32


def test_arrays_with_gaps_are_refused():
    x = _random(4, 4)[:, ::2]
    with pytest.raises(ValueError, match="contiguous"):
        ops.sigmoid_forward(x, x)
