"""Pooling on the CPU against one window at a time, with Caffe's border rules."""
from __future__ import annotations

import itertools

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.backends.cpu import pool
from caffe_lrcn.backends.specs import PoolSpec

FLT_MAX = np.finfo(np.float32).max
GEOMETRIES = {
    "overlapping": ((3, 3), (2, 2), (0, 0), (2, 3, 7, 8)),
    "ceil overhang": ((3, 2), (2, 2), (0, 0), (1, 2, 8, 7)),
    "padded": ((3, 3), (2, 2), (1, 1), (2, 2, 6, 7)),
    "uneven": ((2, 4), (3, 1), (1, 2), (1, 3, 9, 6)),
    "stride one": ((3, 3), (1, 1), (1, 1), (2, 2, 5, 5)),
    "global": ((4, 6), (1, 1), (0, 0), (2, 3, 4, 6)),
    "no image": ((2, 2), (2, 2), (0, 0), (0, 3, 4, 4)),
}
everywhere = pytest.mark.parametrize("name", GEOMETRIES)
both_types = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def make(method, name):
    kernel, stride, pad, shape = GEOMETRIES[name]
    return PoolSpec(method, kernel, stride, pad), shape


def windows(spec, shape):
    """Yield each top index with its window: clipped to the image, and its divisor."""
    out = spec.output_size(shape[2:])
    for n, c, oh, ow in itertools.product(*map(range, (*shape[:2], *out))):
        rows, columns, area = [], [], 1
        for place, axis, cells in ((oh, 0, rows), (ow, 1, columns)):
            start = place * spec.stride[axis] - spec.pad[axis]
            end = min(start + spec.kernel[axis], shape[2 + axis] + spec.pad[axis])
            cells.extend(range(max(start, 0), min(end, shape[2 + axis])))
            area *= end - start
        yield (n, c, oh, ow), rows, columns, area


def window_maxima(spec, x):
    out = (*x.shape[:2], *spec.output_size(x.shape[2:]))
    y, mask = np.full(out, -FLT_MAX), np.full(out, -1)
    for index, rows, columns, _ in windows(spec, x.shape):
        for h, w in itertools.product(rows, columns):
            value = x[index[0], index[1], h, w]
            if value > y[index]:
                y[index], mask[index] = value, h * x.shape[3] + w
    return y, mask


def pooled(spec, x):
    plan = pool.plan(spec, x.shape, get_backend("cpu", x.dtype))
    y = np.full((*x.shape[:2], *spec.output_size(x.shape[2:])), np.nan, x.dtype)
    plan.forward(x, y)
    return plan, y


@everywhere
@both_types
def test_max_takes_the_first_maximum(name, dtype):
    spec, shape = make("MAX", name)
    x = np.random.default_rng(5).integers(-2, 3, shape).astype(dtype)  # many ties
    plan, y = pooled(spec, x)
    want, mask = window_maxima(spec, x)
    np.testing.assert_array_equal(y, want)
    np.testing.assert_array_equal(plan.mask, mask)
    assert plan.mask.dtype == np.int32


@everywhere
@both_types
def test_max_backward_adds_at_the_mask(name, dtype):
    spec, shape = make("MAX", name)
    rng = np.random.default_rng(6)
    x = rng.integers(-2, 3, shape).astype(dtype)
    plan, y = pooled(spec, x)
    dy = rng.integers(-9, 9, y.shape).astype(dtype)  # whole numbers: sums are exact
    dx = np.full(shape, np.nan, dtype)
    plan.backward(dy, dx)
    want = np.zeros((*shape[:2], shape[2] * shape[3]))
    for n, c, oh, ow in np.ndindex(*y.shape):
        want[n, c, plan.mask[n, c, oh, ow]] += dy[n, c, oh, ow]
    np.testing.assert_array_equal(dx.reshape(want.shape), want)


@both_types
def test_max_of_a_window_without_numbers_is_minus_flt_max(dtype):
    spec, x = PoolSpec("MAX", (2, 2), (2, 2)), np.full((1, 1, 4, 4), np.nan, dtype)
    x[..., 2:, :2] = -np.inf
    x[..., 2:, 2:] = [[np.nan, 3], [4, np.nan]]
    plan, y = pooled(spec, x)
    assert y.ravel().tolist() == [-FLT_MAX, -FLT_MAX, -FLT_MAX, 4]
    assert plan.mask.ravel().tolist() == [-1, -1, -1, 14]
    dx = np.empty_like(x)
    plan.backward(np.ones_like(y), dx)
    assert dx[0, 0, 3, 2] == 1 and np.count_nonzero(dx) == 1


def test_max_of_a_window_beyond_the_image_is_minus_flt_max():
    x = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    plan, y = pooled(PoolSpec("MAX", (1, 1), (3, 3)), x)
    assert y.shape[2:] == (2, 2)  # CEIL rounding makes a second, empty window
    assert y.ravel().tolist() == [0, -FLT_MAX, -FLT_MAX, -FLT_MAX]
    assert plan.mask.ravel().tolist() == [0, -1, -1, -1]


@both_types
def test_max_of_a_window_with_more_cells_than_a_byte_counts(dtype):
    x = np.zeros((1, 2, 17, 16), dtype)
    x[0, 0, 16, 15] = x[0, 1, 2, 3] = x[0, 1, 2, 4] = 5
    plan, y = pooled(PoolSpec("MAX", (17, 16)), x)
    assert y.ravel().tolist() == [5, 5] and plan.mask.ravel().tolist() == [271, 35]
    dx = np.empty_like(x)
    plan.backward(np.ones_like(y), dx)
    assert dx[0, 0, 16, 15] == dx[0, 1, 2, 3] == 1 and dx.sum() == 2


def test_max_hands_a_gradient_that_is_not_a_number_to_one_pixel():
    x = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    plan, y = pooled(PoolSpec("MAX", (2, 2), (2, 2)), x)
    dx = np.empty_like(x)
    plan.backward(np.full_like(y, np.nan), dx)
    assert np.isnan(dx).sum() == 4 and np.isnan(dx[0, 0, 1::2, 1::2]).all()


def test_planes_are_pooled_in_several_blocks(monkeypatch):
    monkeypatch.setattr(pool, "BLOCK", 4 * 7 * 8)  # six planes: four and two
    spec, shape = make("MAX", "overlapping")
    x = np.random.default_rng(10).integers(-2, 3, shape).astype(np.float32)
    plan, y = pooled(spec, x)
    want, mask = window_maxima(spec, x)
    np.testing.assert_array_equal(y, want)
    np.testing.assert_array_equal(plan.mask, mask)
    assert adjointness_gap(*make("AVE", "overlapping")) < 1e-12


@everywhere
def test_average_divides_by_the_padded_area(name):
    spec, shape = make("AVE", name)
    x = np.random.default_rng(7).standard_normal(shape)
    _, y = pooled(spec, x)
    want = np.empty_like(y)
    for index, rows, columns, area in windows(spec, shape):
        want[index] = x[index[0], index[1]][np.ix_(rows, columns)].sum() / area
    np.testing.assert_allclose(y, want, atol=1e-13)


def test_average_of_a_window_beyond_the_image_is_not_a_number():
    _, y = pooled(PoolSpec("AVE", (1, 1), (3, 3)), np.ones((1, 1, 3, 3)))
    assert y[0, 0, 0, 0] == 1 and np.isnan(y[0, 0, 0, 1])


def adjointness_gap(spec, shape, scale=1.0):
    rng = np.random.default_rng(8)
    x = rng.standard_normal(shape)
    plan, y = pooled(spec, x)
    dy, dx = rng.standard_normal(y.shape), np.full(shape, np.nan)
    plan.backward(dy * scale, dx)
    return abs(np.vdot(y, dy) - np.vdot(x, dx))


@everywhere
@pytest.mark.parametrize("method", ["MAX", "AVE"])
def test_gradient_is_adjoint_to_forward(name, method):
    # Both are linear where they stand: y = S x with S selecting or averaging.
    assert adjointness_gap(*make(method, name)) < 1e-12


def test_adjointness_check_catches_a_wrong_factor():
    assert adjointness_gap(*make("AVE", "padded"), scale=1.01) > 1e-3


def test_float32_average_agrees_with_float64():
    spec, shape = make("AVE", "padded")
    x = np.random.default_rng(9).standard_normal(shape)
    (narrow_plan, narrow), (wide_plan, wide) = pooled(spec, x.astype(np.float32)), pooled(spec, x)
    np.testing.assert_allclose(narrow, wide, rtol=1e-5, atol=1e-6)
    dx32, dx64 = np.empty(shape, np.float32), np.empty(shape)
    narrow_plan.backward(narrow, dx32)
    wide_plan.backward(wide, dx64)
    np.testing.assert_allclose(dx32, dx64, rtol=1e-5, atol=1e-6)
