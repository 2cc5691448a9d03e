"""Convolution kernels on the host against the CPU backend."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.backends.cuda import conv
from caffe_lrcn.backends.specs import ConvSpec
from caffe_lrcn.errors import BackendError, ShapeError

from .twins import assert_same, plans, rubbish, values

pytestmark = [pytest.mark.usefixtures("cuda_grid"),
              pytest.mark.parametrize("dtype", [np.float32, np.float64])]
#: x_shape, num_output, kernel, stride, pad, dilation, group
GEOMETRIES = {
    "plain": ((2, 3, 7, 6), 4, (3, 3), (1, 1), (0, 0), (1, 1), 1),
    "rectangular": ((2, 3, 9, 8), 4, (5, 2), (3, 1), (2, 1), (1, 1), 1),
    "grouped": ((3, 4, 7, 7), 6, (3, 3), (2, 2), (1, 1), (1, 1), 2),
    "dilated": ((1, 2, 9, 11), 3, (3, 2), (2, 1), (2, 3), (2, 3), 1),
    "stride over kernel": ((2, 2, 8, 8), 3, (2, 2), (3, 3), (0, 0), (1, 1), 1),
    "1x1": ((3, 4, 5, 3), 6, (1, 1), (1, 1), (0, 0), (1, 1), 2),
    "1x1 strided": ((2, 4, 5, 3), 2, (1, 1), (2, 2), (0, 0), (1, 1), 1),
    "1x1 padded": ((2, 4, 3, 3), 2, (1, 1), (1, 1), (1, 1), (1, 1), 1),
    "one axis": ((2, 3, 11), 4, (3,), (2,), (1,), (2,), 1),
    "three axes": ((2, 2, 5, 6, 4), 3, (3, 2, 2), (2, 1, 1), (1, 0, 1), (1, 2, 1), 1),
    "no axis": ((3, 5), 4, (), (), (), (), 1),
    "no image": ((0, 3, 5, 5), 4, (3, 3), (1, 1), (0, 0), (1, 1), 1),
}


def case(name, dtype):
    x_shape, outputs, *geometry, group = GEOMETRIES[name]
    spec = ConvSpec(outputs, *geometry, group)
    y_shape = (x_shape[0], outputs, *spec.output_size(x_shape[2:]))
    w_shape = (outputs, x_shape[1] // group, *spec.kernel)
    return spec, values(x_shape, dtype), values(w_shape, dtype, 1), values(y_shape, dtype, 2)


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("chunked", [False, True])
def test_convolution(name, chunked, dtype, monkeypatch):
    spec, x, w, dy = case(name, dtype)
    if chunked:  # two images at a time, the last one alone
        image = x.shape[1] * np.prod(spec.kernel) * np.prod(dy.shape[2:]) * x.itemsize
        monkeypatch.setattr(conv, "_COLUMN_BYTES", int(2 * image))
    b = values(spec.num_output, dtype, 3)
    outcomes = []
    for plan in plans("conv", spec, x.shape, dtype):
        y, y_plain, dx = (rubbish(like.shape, dtype) for like in (dy, dy, x))
        dw, db = values(w.shape, dtype, 4), values(b.shape, dtype, 5)
        plan.forward(x, w, b, y)
        plan.forward(x, w, None, y_plain)
        plan.backward_data(dy, w, dx)
        plan.backward_weights(x, dy, dw)
        plan.backward_bias(dy, db)
        outcomes.append([y, y_plain, dx, dw, db])
    assert_same(outcomes[1], outcomes[0], dtype)


def test_inputs_are_left_alone(dtype):
    spec, x, w, dy = case("grouped", dtype)
    kept = [array.copy() for array in (x, w, dy)]
    plan = plans("conv", spec, x.shape, dtype)[1]
    plan.forward(x, w, None, rubbish(dy.shape, dtype))
    plan.backward_data(dy, w, rubbish(x.shape, dtype))
    plan.backward_weights(x, dy, np.zeros_like(w))
    for array, before in zip((x, w, dy), kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_four_spatial_axes_are_refused(dtype):
    spec = ConvSpec(1, (1,) * 4, (1,) * 4, (0,) * 4, (1,) * 4)
    with pytest.raises(BackendError, match="at most three spatial axes"):
        conv.plan(spec, (1, 1, 2, 2, 2, 2), get_backend("cuda-host", dtype))


def test_arrays_of_another_geometry_are_refused(dtype):
    spec, x, w, dy = case("plain", dtype)
    plan = plans("conv", spec, x.shape, dtype)[1]
    with pytest.raises(ShapeError, match="weights"):
        plan.forward(x, w[:-1], None, dy)


@pytest.mark.parametrize("trans_a", [False, True])
@pytest.mark.parametrize("trans_b", [False, True])
@pytest.mark.parametrize("accumulate", [False, True])
def test_gemm(trans_a, trans_b, accumulate, dtype):
    a = values((5, 3) if trans_a else (3, 5), dtype)
    b = values((4, 5) if trans_b else (5, 4), dtype, 1)
    outs = [values((3, 4), dtype, 2) for _ in range(2)]
    for device, out in zip(("cpu", "cuda-host"), outs, strict=True):
        backend = get_backend(device, dtype)
        backend.blas.gemm(a, b, out, backend.scratch, trans_a, trans_b, accumulate)
    assert_same(outs[1], outs[0], dtype)
