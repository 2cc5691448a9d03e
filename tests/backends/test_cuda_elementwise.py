"""Elementwise and recurrent kernels on the host against the CPU ops."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn import rng
from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import BackendError, ShapeError

from .twins import assert_same, assert_twins, rubbish, values

pytestmark = [pytest.mark.usefixtures("cuda_grid"),
              pytest.mark.parametrize("dtype", [np.float32, np.float64])]
SIZES = pytest.mark.parametrize("shape", [(1,), (7, 5), (0, 3)])
KEY = rng.philox_key(7, "dropout", "drop6")


def with_kinks(shape, dtype):
    x = values(shape, dtype)
    x.reshape(-1)[:1] = 0
    return x


@SIZES
@pytest.mark.parametrize("slope", [0.0, 0.25])
def test_relu(shape, slope, dtype):
    x, dy = with_kinks(shape, dtype), values(shape, dtype, 1)
    assert_twins("elementwise.relu_forward", x, slope, rubbish(shape, dtype), dtype=dtype)
    assert_twins("elementwise.relu_forward", x, slope, x, dtype=dtype)
    assert_twins("elementwise.relu_backward", x, dy, slope, rubbish(shape, dtype), dtype=dtype)
    assert_twins("elementwise.relu_backward", x, dy, slope, dy, dtype=dtype)


@SIZES
@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_squashing(name, shape, dtype):
    x, dy = 20 * values(shape, dtype), values(shape, dtype, 1)
    y = values(shape, dtype, 2, 0, 1)
    assert_twins(f"elementwise.{name}_forward", x, rubbish(shape, dtype), dtype=dtype)
    assert_twins(f"elementwise.{name}_forward", x, x, dtype=dtype)
    assert_twins(f"elementwise.{name}_backward", y, dy, rubbish(shape, dtype), dtype=dtype)
    assert_twins(f"elementwise.{name}_backward", y, dy, dy, dtype=dtype)


@pytest.mark.parametrize("power, scale, shift", [
    (1, 2, 3), (2, -1.5, 0.5), (3, 0.5, 0), (0.5, 1, 2.5), (-1, 1, 3), (0, 2, 1), (2, 0, 3),
    (0, 1, 0), (-1, 0, 0)])
def test_power(power, scale, shift, dtype):
    x, y, dy = with_kinks((3, 5), dtype), values((3, 5), dtype, 1), values((3, 5), dtype, 2)
    if power * scale == 0:
        x[0, 1] = np.inf  # a constant is a constant
    assert_twins("elementwise.power_forward", x, power, scale, shift, y, dtype=dtype)
    assert_twins("elementwise.power_forward", x, power, scale, shift, x, dtype=dtype)
    assert_twins("elementwise.power_backward", x, y, dy, power, scale, shift,
                 rubbish((3, 5), dtype), dtype=dtype)
    assert_twins("elementwise.power_backward", x, y, dy, power, scale, shift, dy, dtype=dtype)


@pytest.mark.parametrize("shared", [False, True])
def test_prelu(shared, dtype):
    x, dy = with_kinks((3, 5, 7), dtype), values((3, 5, 7), dtype, 1)
    slope, d_slope = (values(1 if shared else 5, dtype, seed) for seed in (2, 3))
    assert_twins("elementwise.prelu_forward", x, slope, rubbish(x.shape, dtype), dtype=dtype)
    assert_twins("elementwise.prelu_forward", x, slope, x, dtype=dtype)
    assert_twins("elementwise.prelu_backward", x, dy, slope, rubbish(x.shape, dtype), d_slope,
                 dtype=dtype)
    assert_twins("elementwise.prelu_backward", x, dy, slope, dy, d_slope, dtype=dtype)
    assert_twins("elementwise.prelu_backward", x, dy, slope, None, d_slope, dtype=dtype)
    assert_twins("elementwise.prelu_backward", x, dy, slope, dy, None, dtype=dtype)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 101])
@pytest.mark.parametrize("call", [0, 3, 2**33 + 5])
def test_dropout_draws_the_words_of_the_host_generator(count, call, dtype):
    backend = get_backend("cuda-host", dtype)
    x, y, mask = values(count, dtype), rubbish(count, dtype), np.zeros(count, np.uint32)
    threshold = int(0.3 * 2**32)
    backend.elementwise.dropout_forward(x, mask, KEY, call, threshold, 1 / 0.7, y, backend.scratch)
    words = rng.random_words(KEY, call, count)
    np.testing.assert_array_equal(mask, words)
    assert_same(y, np.where(words >= threshold, x * dtype(1 / 0.7), dtype(0)), dtype)
    for device in ("cpu", "cuda-host"):
        alone = np.zeros(count, np.uint32)
        get_backend(device, dtype).elementwise.random_words(KEY, call, alone)
        np.testing.assert_array_equal(alone, words)


def test_dropout(dtype):
    shape, mask = (5, 13), np.zeros((5, 13), np.uint32)
    x, dy, threshold = values(shape, dtype), values(shape, dtype, 1), 2**31
    for y in (rubbish(shape, dtype), x):
        (_, mask, *_), _ = assert_twins("elementwise.dropout_forward", x, mask, KEY, 4, threshold,
                                        2.0, y, dtype=dtype)
    for dx in (rubbish(shape, dtype), dy):
        assert_twins("elementwise.dropout_backward", dy, mask, threshold, 2.0, dx, dtype=dtype)


def test_dropout_keeps_the_word_that_equals_the_threshold(dtype):
    mask = np.array([4, 5, 6], np.uint32)
    dx = np.zeros(3, dtype)
    backend = get_backend("cuda-host", dtype)
    backend.elementwise.dropout_backward(np.ones(3, dtype), mask, 5, 2.0, dx, backend.scratch)
    assert dx.tolist() == [0, 2, 2]


@pytest.mark.parametrize("shape", [(3, 5, 7), (4, 6, 1), (1, 1, 1)])
def test_channels(shape, dtype):
    x = values(shape, dtype)
    s, b = values(shape[1], dtype, 1), values(shape[1], dtype, 2)
    for y in (rubbish(shape, dtype), x):
        assert_twins("elementwise.bias_add", x, b, y, dtype=dtype)
        assert_twins("elementwise.channel_scale", x, s, b, y, dtype=dtype)
        assert_twins("elementwise.channel_scale", x, s, None, y, dtype=dtype)
    assert_twins("elementwise.sum_to_channels", x, b, dtype=dtype)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, 2)])
def test_lstm_step(shape, dtype):
    rows, units = shape
    gates = values((rows, 4 * units), dtype)
    cont = np.resize(np.array([1, 0, 0.4], dtype), rows)
    c_prev, tanh_c = values(shape, dtype, 1), values(shape, dtype, 2, -1, 1)
    outputs = [rubbish(shape, dtype) for _ in range(3)]
    assert_twins("recurrent.lstm_forward", gates, cont, c_prev, *outputs, dtype=dtype)
    active = values((rows, 4 * units), dtype, 3, 0, 1)
    dh, dc = values(shape, dtype, 4), values(shape, dtype, 5)
    assert_twins("recurrent.lstm_backward", active, cont, c_prev, tanh_c, dh, dc,
                 rubbish(active.shape, dtype), dtype=dtype)


def test_rnn_step(dtype):
    pre, dh = values((3, 5), dtype), values((3, 5), dtype, 1)
    assert_twins("recurrent.rnn_forward", pre, rubbish((3, 5), dtype), dtype=dtype)
    assert_twins("recurrent.rnn_forward", pre, pre, dtype=dtype)
    assert_twins("recurrent.rnn_backward", np.tanh(pre), dh, rubbish((3, 5), dtype), dtype=dtype)
    cont = np.array([0, 1, 0.3], dtype)
    assert_twins("recurrent.scale_rows", pre, cont, rubbish((3, 5), dtype), dtype=dtype)
    assert_twins("recurrent.scale_rows", pre, cont, pre, dtype=dtype)


def test_misfits_are_refused(dtype):
    backend = get_backend("cuda-host", dtype)
    ops, x = backend.elementwise, values((3, 4), dtype)
    with pytest.raises(ShapeError, match="differ"):
        ops.relu_forward(x, 0.0, rubbish((3, 5), dtype), backend.scratch)
    with pytest.raises(ShapeError, match="'b' has the wrong size"):
        ops.bias_add(x.reshape(1, 3, 4), values(4, dtype), x.reshape(1, 3, 4))
    with pytest.raises(BackendError, match="'x'.*not contiguous"):
        ops.tanh_forward(values((4, 3), dtype).T, x)
    other = np.float32 if dtype is np.float64 else np.float64
    with pytest.raises(BackendError, match="'x'.*wrong type"):
        ops.tanh_forward(x.astype(other), x)
    x.flags.writeable = False
    with pytest.raises(BackendError, match="'y'.*read-only"):
        ops.tanh_forward(x, x)
