"""Local response normalisation on the CPU against its formula, and its gradient."""
from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.backends.cpu import lrn
from caffe_lrcn.backends.specs import LRNSpec

# A large alpha, so that every term of the gradient matters.
SPECS = {
    "across": LRNSpec(5, 2.0, 0.75, 1.0),
    "across, other power": LRNSpec(3, 1.5, 0.6, 2.0),
    "window wider than the channels": LRNSpec(9, 2.0, 0.75, 1.5),
    "within": LRNSpec(3, 2.0, 0.75, 1.0, within=True),
}
everywhere = pytest.mark.parametrize("name", SPECS)
SHAPE = (2, 6, 4, 5)


def formula(spec, x):
    squares, scale = x * x, np.zeros_like(x)
    half = spec.size // 2
    if spec.within:
        for h, w in np.ndindex(*x.shape[2:]):
            window = squares[:, :, max(h - half, 0):h + half + 1, max(w - half, 0):w + half + 1]
            scale[:, :, h, w] = 1 + spec.alpha * window.sum(axis=(2, 3)) / spec.size ** 2
    else:
        for c in range(x.shape[1]):
            window = squares[:, max(c - half, 0):c + half + 1]
            scale[:, c] = spec.k + spec.alpha * window.sum(axis=1) / spec.size
    return x * scale ** -spec.beta


def normalise(spec, x):
    plan, y = lrn.plan(spec, x.shape, get_backend("cpu", x.dtype)), np.full_like(x, np.nan)
    plan.forward(x, y)
    return plan, y


@everywhere
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_forward_is_the_formula(name, dtype):
    x = np.random.default_rng(1).standard_normal(SHAPE)
    _, y = normalise(SPECS[name], x.astype(dtype))
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(y, formula(SPECS[name], x), rtol=tolerance, atol=tolerance)


def gradient_gap(spec, gradient_spec=None):
    """How far dx is from the central difference along one random direction."""
    rng = np.random.default_rng(2)
    x, dy, direction = (rng.standard_normal(SHAPE) for _ in range(3))
    plan, y = normalise(gradient_spec or spec, x)
    dx, step = np.full_like(x, np.nan), 1e-6
    plan.backward(x, y, dy, dx)
    change = formula(spec, x + step * direction) - formula(spec, x - step * direction)
    return abs(np.vdot(change / (2 * step), dy) - np.vdot(dx, direction))


@everywhere
def test_gradient_matches_differences(name):
    assert gradient_gap(SPECS[name]) < 1e-7


@everywhere
def test_gradient_check_catches_a_missing_cross_term(name):
    spec = SPECS[name]
    broken = dataclasses.replace(spec, alpha=spec.alpha * 0.99)
    assert gradient_gap(spec, broken) > 1e-4


def test_within_channel_ignores_k():
    x = np.random.default_rng(3).standard_normal(SHAPE)
    spec = SPECS["within"]
    _, y = normalise(spec, x)
    _, other = normalise(dataclasses.replace(spec, k=7.0), x)
    np.testing.assert_array_equal(y, other)


@everywhere
def test_float32_gradient_agrees_with_float64(name):
    rng = np.random.default_rng(4)
    x, dy = rng.standard_normal(SHAPE), rng.standard_normal(SHAPE)
    results = []
    for dtype in (np.float32, np.float64):
        plan, y = normalise(SPECS[name], x.astype(dtype))
        dx = np.empty_like(y)
        plan.backward(x.astype(dtype), y, dy.astype(dtype), dx)
        results.append(dx)
    np.testing.assert_allclose(*results, rtol=1e-4, atol=1e-5)


def test_no_image_gives_no_output():
    x = np.empty((0, 3, 2, 2))
    plan, y = normalise(SPECS["across"], x)
    plan.backward(x, y, y, np.empty_like(x))
    assert y.size == 0
