"""Matrix products of stacks of matrices, written straight into the output."""
from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import BackendError

_CUBLAS_GEMM_DEFAULT = -1  # let cuBLAS choose the algorithm


def matmul(a: Any, b: Any, out: Any, *, trans_a: bool = False, trans_b: bool = False,
           accumulate: bool = False, math: str = "fp32") -> None:
    """Compute ``out = op(a) @ op(b)``, or ``out += op(a) @ op(b)``, for each matrix of a stack.

    Args:
        a, b, out: (rows, columns), or (count, rows, columns) with ``out``; a plain matrix serves
            for the whole stack. Each matrix is row-major and dense; stacks may have any distance
            between matrices.
        trans_a, trans_b: whether ``op`` transposes.
        accumulate: add to ``out`` instead of overwriting it.
        math: ``fp32``, ``tf32`` or ``bf16``: what a GPU may round factors to when the arrays are
            float32; sums are float32 in any case. NumPy ignores it.

    Raises:
        BackendError: a matrix is not dense.
    """
    _check_dense(a=a, b=b, out=out)
    if not isinstance(out, np.ndarray):
        _cublas(a, b, out, trans_a, trans_b, accumulate, math)
        return
    left = a.swapaxes(-1, -2) if trans_a else a
    right = b.swapaxes(-1, -2) if trans_b else b
    if accumulate:
        out += np.matmul(left, right)
    else:
        np.matmul(left, right, out=out)


def _check_dense(**arrays: Any) -> None:
    """Refuse what cuBLAS would misread; on the host, too, where NumPy would get it right."""
    for name, array in arrays.items():
        rows, columns = array.shape[-2:]
        steps = array.strides[-2:]
        if array.size and ((columns > 1 and steps[1] != array.itemsize)
                           or (rows > 1 and steps[0] != columns * array.itemsize)):
            raise BackendError(f"factor or product '{name}' of a matrix product is not dense",
                               got=f"shape {array.shape} with strides {array.strides}")


def _cublas(a: Any, b: Any, out: Any, trans_a: bool, trans_b: bool, accumulate: bool,
            math: str) -> None:
    """Call cuBLAS, whose matrices are column-major.

    A row-major matrix is its own transpose to cuBLAS, and out^T = op(b)^T op(a)^T: swapping the
    factors gives the row-major product without a copy, each leading dimension being the number of
    columns.
    """
    from cupy.cuda import device as cupy_device
    from cupy_backends.cuda.libs import cublas

    rows, columns = out.shape[-2:]
    inner = a.shape[-2] if trans_a else a.shape[-1]
    if out.size == 0 or inner == 0:
        if not accumulate:
            out.fill(0)
        return
    compute, data = _types(cublas, out.dtype, math)
    alpha, beta = np.ones((), out.dtype), np.full((), float(accumulate), out.dtype)
    op_a, op_b = ((cublas.CUBLAS_OP_T if trans else cublas.CUBLAS_OP_N)
                  for trans in (trans_a, trans_b))
    with out.device:
        handle = cupy_device.get_cublas_handle()
        if out.ndim == 2:
            cublas.gemmEx(handle, op_b, op_a, columns, rows, inner, alpha.ctypes.data,
                          b.data.ptr, data, b.shape[-1], a.data.ptr, data, a.shape[-1],
                          beta.ctypes.data, out.data.ptr, data, columns, compute,
                          _CUBLAS_GEMM_DEFAULT)
            return
        cublas.gemmStridedBatchedEx(
            handle, op_b, op_a, columns, rows, inner, alpha.ctypes.data,
            b.data.ptr, data, b.shape[-1], _distance(b), a.data.ptr, data, a.shape[-1],
            _distance(a), beta.ctypes.data, out.data.ptr, data, columns, _distance(out),
            out.shape[0], compute, _CUBLAS_GEMM_DEFAULT)


def _types(cublas: Any, dtype: np.dtype, math: str) -> tuple[int, int]:
    """Return cuBLAS's compute type and the CUDA type of the arrays."""
    from cupy.cuda import runtime
    if dtype == np.float64:
        return cublas.CUBLAS_COMPUTE_64F, runtime.CUDA_R_64F
    compute = {"fp32": cublas.CUBLAS_COMPUTE_32F, "tf32": cublas.CUBLAS_COMPUTE_32F_FAST_TF32,
               "bf16": cublas.CUBLAS_COMPUTE_32F_FAST_16BF}
    return compute[math], runtime.CUDA_R_32F


def _distance(stack: Any) -> int:
    """Return the number of elements between two matrices; 0 repeats a plain matrix."""
    return stack.strides[0] // stack.itemsize if stack.ndim == 3 else 0
