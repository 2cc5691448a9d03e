from __future__ import annotations

import numpy as np

from caffe_lrcn.backends.cpu import update as ops
from caffe_lrcn.backends.cpu.blocks import BLOCK

_RNG = np.random.default_rng(0)
_LARGE = BLOCK + 77


def test_sum_of_squares_is_exact_for_float32():
    x = _RNG.normal(size=_LARGE).astype(np.float32)
    x[0] = 1e4  # large enough to swallow the rest in float32
    got = ops.sum_of_squares(x)
    assert got.shape == () and got.dtype == np.float64
    np.testing.assert_allclose(got, (x.astype(np.float64) ** 2).sum(), rtol=1e-13)


def test_decay():
    weight, diff = _RNG.normal(size=_LARGE), _RNG.normal(size=_LARGE)
    want = diff + 0.1 * weight
    ops.l2(diff, weight, 0.1)
    np.testing.assert_allclose(diff, want)
    want = diff + 0.2 * np.sign(weight)
    ops.l1(diff, weight, 0.2)
    np.testing.assert_allclose(diff, want)


def test_momentum_and_update():
    weight, diff, history = (_RNG.normal(size=(3, _LARGE // 3)) for _ in range(3))
    want = 0.9 * history + 0.01 * diff
    ops.sgd(diff, history, 0.01, 0.9)
    np.testing.assert_allclose(history, want)
    np.testing.assert_array_equal(diff, history)
    moved = weight - want
    ops.apply(weight, diff)
    np.testing.assert_allclose(weight, moved)


def test_scale():
    x = np.arange(4, dtype=np.float32)
    ops.scale(x, 0.5)
    np.testing.assert_array_equal(x, [0, 0.5, 1, 1.5])
