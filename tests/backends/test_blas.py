"""Matrix products on the CPU, in every orientation."""
from __future__ import annotations

import itertools

import numpy as np
import pytest

from caffe_lrcn.backends.cpu import blas

orientations = pytest.mark.parametrize(
    "trans_a, trans_b", list(itertools.product([False, True], repeat=2)))
sizes = pytest.mark.parametrize("rows, inner, columns", [(2, 3, 4), (1, 5, 1), (130, 70, 90),
                                                         (3, 0, 2), (0, 3, 2)])


@orientations
@sizes
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("accumulate", [False, True])
def test_gemm(rows, inner, columns, trans_a, trans_b, dtype, accumulate, backend):
    rng = np.random.default_rng(0)
    a = rng.standard_normal((inner, rows) if trans_a else (rows, inner)).astype(dtype)
    b = rng.standard_normal((columns, inner) if trans_b else (inner, columns)).astype(dtype)
    out = np.full((rows, columns), 3, dtype)
    want = (a.T if trans_a else a) @ (b.T if trans_b else b) + (3 if accumulate else 0)
    blas.gemm(a, b, out, backend.scratch, trans_a, trans_b, accumulate)
    np.testing.assert_allclose(out, want, rtol=1e-4, atol=1e-4)


def test_gemm_takes_strided_operands(backend):
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((4, 6, 2)).astype(np.float32)[:, :, 1], np.eye(6, dtype=np.float32)
    out = np.empty((4, 12), np.float32)[:, ::2]
    blas.gemm(a, b, out, backend.scratch)
    np.testing.assert_array_equal(out, a)


@pytest.mark.parametrize("samples, units, calls", [(10, 40, 0), (10, 1, 1), (300, 40, 1),
                                                   (200, 200, 1)])
def test_small_gradients_of_weights_are_numpy_s(samples, units, calls, backend, monkeypatch):
    called = []
    monkeypatch.setattr(blas, "library", lambda: True)
    monkeypatch.setattr(blas, "sgemm", lambda *_: called.append(1) or True)
    dy, x = np.ones((samples, units), np.float32), np.ones((samples, 10), np.float32)
    blas.gemm(dy, x, np.zeros((units, 10), np.float32), backend.scratch, trans_a=True,
              accumulate=True)
    assert len(called) == calls
