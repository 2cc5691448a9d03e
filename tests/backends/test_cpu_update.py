from __future__ import annotations

import numpy as np

from caffe_lrcn.backends import get_backend
from caffe_lrcn.backends.cpu import update as ops
from caffe_lrcn.backends.cpu.blocks import BLOCK
from caffe_lrcn.backends.parameters import Parameters, Segment, UpdateSpec

_RNG = np.random.default_rng(0)
_LARGE = BLOCK + 77


def test_sum_of_squares_is_exact_for_float32(backend):
    x = _RNG.normal(size=_LARGE).astype(np.float32)
    x[0] = 1e4  # large enough to swallow the rest in float32
    got = np.full((), 9.0)
    ops.sum_of_squares(x, got, backend.scratch)
    np.testing.assert_allclose(got, (x.astype(np.float64) ** 2).sum(), rtol=1e-13)


def test_add_squares_adds_those_of_the_segments(backend):
    x = _RNG.normal(size=_LARGE).astype(np.float32)
    parameters = Parameters(None, x, (), (Segment(1, BLOCK + 3), Segment(BLOCK + 9, _LARGE)))
    squares, wanted = np.array([2.0]), x.astype(np.float64) ** 2
    ops.add_squares(parameters, squares, backend.scratch)
    wanted = 2 + wanted[1:BLOCK + 3].sum() + wanted[BLOCK + 9:].sum()
    np.testing.assert_allclose(squares, [wanted], rtol=1e-13)


def test_clip_factor_at_the_limit_and_above():
    clip = np.zeros(1)
    for limit, wanted in ((5.0, 1), (2.5, 0.5), (0.0, 0)):
        ops.clip_factor(np.array([25.0]), limit, clip)
        assert clip[0] == wanted
    ops.clip_factor(np.array([0.0]), 0.0, clip)
    assert clip[0] == 1
    ops.clip_factor(np.array([np.nan]), 1.0, clip)
    assert np.isnan(clip[0])


def test_a_float64_backend_is_exact_to_the_last_digits():
    """The piece-wise rule equals the formula on whole arrays, bit for bit."""
    backend = get_backend("cpu", np.float64)
    scalars = backend.scalars()
    scalars.rate[:], scalars.clip[:] = 0.01, 1
    weight, diff, history = (_RNG.normal(size=_LARGE) for _ in range(3))
    step = history * 0.9 + diff * 0.01
    moved = weight - step
    ops.sgd(Parameters(weight, diff, (history,), (Segment(0, _LARGE),)), UpdateSpec(momentum=0.9),
            scalars, backend.scratch)
    np.testing.assert_array_equal(history, step)
    np.testing.assert_array_equal(diff, step)
    np.testing.assert_array_equal(weight, moved)
