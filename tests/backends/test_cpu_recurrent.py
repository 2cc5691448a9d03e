"""The CPU cells and the table look-up against formulas written out independently."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.backends.cpu import embed, recurrent

N, D = 3, 4
STEP = 1e-6


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def plain_lstm_step(pre, cont, c_prev):
    i, f, o, g = np.split(pre, 4, axis=1)
    c = cont[:, None] * sigmoid(f) * c_prev + sigmoid(i) * np.tanh(g)
    return c, sigmoid(o) * np.tanh(c)


@pytest.fixture
def case():
    rng = np.random.default_rng(4)
    return (rng.normal(size=(N, 4 * D)), np.array([0, 0.3, 1.0]), rng.normal(size=(N, D)),
            rng.normal(size=(N, D)), rng.normal(size=(N, D)))


def run_lstm(pre, cont, c_prev, dh, dc):
    gates, c, tanh_c, h = pre.copy(), *(np.full((N, D), np.nan) for _ in range(3))
    recurrent.lstm_forward(gates, cont, c_prev, c, tanh_c, h)
    d_gates, dc = np.full_like(gates, np.nan), dc.copy()
    recurrent.lstm_backward(gates, cont, c_prev, tanh_c, dh, dc, d_gates)
    return c, h, d_gates, dc


def numeric(function, x):
    gradient = np.empty_like(x)
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += STEP
        down[place] -= STEP
        gradient[place] = (function(up) - function(down)) / (2 * STEP)
    return gradient


def test_lstm_step_with_fractional_cont(case):
    pre, cont, c_prev, dh, dc = case
    c, h, d_gates, dc_prev = run_lstm(*case)
    want_c, want_h = plain_lstm_step(pre, cont, c_prev)
    np.testing.assert_allclose(c, want_c, atol=1e-14)
    np.testing.assert_allclose(h, want_h, atol=1e-14)

    def loss(pre, c_prev):
        c, h = plain_lstm_step(pre, cont, c_prev)
        return (c * dc + h * dh).sum()

    np.testing.assert_allclose(d_gates, numeric(lambda x: loss(x, c_prev), pre), atol=1e-8)
    np.testing.assert_allclose(dc_prev, numeric(lambda x: loss(pre, x), c_prev), atol=1e-8)


def test_lstm_step_survives_huge_pre_activations():
    gates = np.full((1, 4), [[-1e4, 1e4, -1e4, 1e4]], np.float32)
    c, tanh_c, h = (np.empty((1, 1), np.float32) for _ in range(3))
    recurrent.lstm_forward(gates, np.ones(1, np.float32), np.full((1, 1), 2, np.float32), c,
                           tanh_c, h)
    np.testing.assert_array_equal(gates, [[0, 1, 0, 1]])
    assert c == 2 and h == 0


def test_rnn_step():
    rng = np.random.default_rng(5)
    pre, dh = rng.normal(size=(2, N, D))
    h, d_pre = np.empty((N, D)), np.full((N, D), np.nan)
    recurrent.rnn_forward(pre, h)
    recurrent.rnn_backward(h, dh, d_pre)
    np.testing.assert_allclose(h, np.tanh(pre))
    want = numeric(lambda x: (np.tanh(x) * dh).sum(), pre)
    np.testing.assert_allclose(d_pre, want, atol=1e-8)


def test_scale_rows_in_place():
    x = np.ones((N, D))
    recurrent.scale_rows(x, np.array([0, 0.5, 1]), x)
    np.testing.assert_array_equal(x, np.repeat([[0], [0.5], [1]], D, axis=1))


def test_embed_truncates_pads_and_accumulates(backend):
    weight, bias = np.arange(12.0).reshape(4, 3), np.array([100.0, 200, 300])
    index, out = np.array([[2.9, -1], [0, 2]]), np.full((2, 2, 3), np.nan)
    status = np.zeros(1, np.int32)
    embed.forward(index, weight, bias, out, -1, status, backend.scratch)
    assert status == 0
    np.testing.assert_array_equal(
        out, [[weight[2] + bias, [0, 0, 0]], [weight[0] + bias, weight[2] + bias]])

    dy = np.arange(12.0).reshape(2, 2, 3)
    d_weight, d_bias = np.ones((4, 3)), np.ones(3)
    embed.backward(index, dy, d_weight, d_bias, backend.scratch)
    want = np.ones((4, 3))
    want[2] += dy[0, 0] + dy[1, 1]
    want[0] += dy[1, 0]
    np.testing.assert_array_equal(d_weight, want)
    np.testing.assert_array_equal(d_bias, 1 + dy[0, 0] + dy[1, 0] + dy[1, 1])
    embed.backward(index, dy, None, None, backend.scratch)
