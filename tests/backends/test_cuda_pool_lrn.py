"""Pooling and normalisation kernels on the host against the CPU backend."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.backends.specs import LRNSpec, PoolSpec
from caffe_lrcn.errors import ShapeError

from .twins import assert_same, plans, rubbish, values

pytestmark = [pytest.mark.usefixtures("cuda_grid"),
              pytest.mark.parametrize("dtype", [np.float32, np.float64])]
#: kernel, stride, pad, floor, x_shape
GEOMETRIES = {
    "overlapping": ((3, 3), (2, 2), (0, 0), False, (2, 3, 7, 9)),
    "ceil overhang": ((3, 2), (2, 2), (0, 0), False, (1, 2, 8, 7)),
    "floor": ((3, 2), (2, 2), (0, 0), True, (1, 2, 8, 7)),
    "padded": ((3, 3), (2, 2), (1, 1), False, (2, 2, 6, 7)),
    "uneven": ((2, 4), (3, 1), (1, 2), False, (1, 3, 9, 6)),
    "global": ((4, 6), (1, 1), (0, 0), False, (2, 3, 4, 6)),
    "no image": ((2, 2), (2, 2), (0, 0), False, (0, 3, 4, 4)),
}


def pooled(method, geometry, x, dtype):
    """Return (y, mask, dx) of both backends for one pooling, after checking that they agree."""
    kernel, stride, pad, floor, x_shape = geometry
    spec = PoolSpec(method, kernel, stride, pad, floor)
    y_shape = (*x_shape[:2], *spec.output_size(x_shape[2:]))
    outcomes = []
    for plan in plans("pool", spec, x_shape, dtype):
        y, dx = rubbish(y_shape, dtype), rubbish(x_shape, dtype)
        plan.forward(x, y)
        plan.backward(values(y_shape, dtype, 1), dx)
        outcomes.append([y, plan.mask, dx])
    assert_same(outcomes[1], outcomes[0], dtype)
    return outcomes[1]


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("method", ["MAX", "AVE"])
def test_pooling(name, method, dtype):
    geometry = GEOMETRIES[name]
    # Few distinct values: ties must go to the first maximum.
    pooled(method, geometry, values(geometry[-1], dtype).round(), dtype)


def test_max_pooling_of_nothing_gives_the_least_float(dtype):
    x = values((1, 1, 6, 6), dtype)
    x[..., :2, :2], x[..., 2:4, :2], x[..., 4:, 4:] = np.nan, -np.inf, np.nan
    x[..., 4, 4] = 1  # NaN beside a number does not win
    y, mask, dx = pooled("MAX", ((2, 2), (2, 2), (0, 0), False, x.shape), x, dtype)
    least = -np.finfo(np.float32).max
    assert y[0, 0, 0, 0] == y[0, 0, 1, 0] == least and y[0, 0, 2, 2] == 1
    assert mask[0, 0, 0, 0] == mask[0, 0, 1, 0] == -1 and mask[0, 0, 2, 2] == 28
    assert not dx[..., :4, :2].any()


@pytest.mark.parametrize("method", ["MAX", "AVE"])
def test_a_window_beyond_the_image(method, dtype):
    geometry = ((1, 1), (4, 4), (0, 0), False, (1, 1, 6, 6))
    y, mask, _ = pooled(method, geometry, values((1, 1, 6, 6), dtype), dtype)
    if method == "MAX":
        assert y[0, 0, 2, 0] == -np.finfo(np.float32).max and mask[0, 0, 2, 0] == -1
    else:
        assert not y[0, 0, 2, 0] > 0


def test_pooling_arrays_of_another_shape_are_refused(dtype):
    plan = plans("pool", PoolSpec("MAX", (2, 2)), (1, 1, 4, 4), dtype)[1]
    with pytest.raises(ShapeError, match="top's"):
        plan.forward(values((1, 1, 4, 4), dtype), rubbish((1, 1, 4, 4), dtype))


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("size", [1, 3, 5, 9])
@pytest.mark.parametrize("shape", [(2, 7, 4, 3), (1, 2, 1, 5)])
def test_lrn(within, size, shape, dtype):
    spec = LRNSpec(size, alpha=0.9, beta=0.75 if size == 5 else 1.3, k=1.7, within=within)
    x, dy = values(shape, dtype), values(shape, dtype, 1)
    outcomes = []
    for plan in plans("lrn", spec, shape, dtype):
        y, dx = rubbish(shape, dtype), rubbish(shape, dtype)
        plan.forward(x, y)
        plan.backward(x, y, dy, dx)
        outcomes.append([y, dx])
    assert_same(outcomes[1], outcomes[0], dtype)
