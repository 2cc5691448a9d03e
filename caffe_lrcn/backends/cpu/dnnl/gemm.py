"""Row-major float32 matrix products by oneDNN."""
from __future__ import annotations

from ctypes import addressof, c_char

import numpy as np

from .loader import Library

_ITEM = 4


def sgemm(lib: Library, a: np.ndarray, b: np.ndarray, out: np.ndarray, accumulate: bool) -> bool:
    """Compute ``out (+)= a b``; return False, with nothing done, for strides that do not fit.

    ``a`` (M, K) and ``b`` (K, N) may be transposed views; ``out`` (M, N) has contiguous rows.
    """
    forms = _form(a), _form(b), _form(out)
    if None in forms or forms[2][0] != b"N":
        return False
    (trans_a, lda), (trans_b, ldb), (_, ldc) = forms
    (rows, inner), columns = a.shape, b.shape[1]
    lib.call("dnnl_sgemm", trans_a, trans_b, rows, columns, inner, 1.0, _address(a, trans_a), lda,
             _address(b, trans_b), ldb, float(accumulate), _address(out, b"N"), ldc)
    return True


def _address(matrix: np.ndarray, form: bytes) -> int:
    """Return where a matrix with elements begins; ``matrix.ctypes`` takes four times as long."""
    stored = matrix if form == b"N" else matrix.T
    if stored.flags.c_contiguous and stored.flags.writeable:
        return addressof(c_char.from_buffer(stored))
    return matrix.ctypes.data


def _form(matrix: np.ndarray) -> tuple[bytes, int] | None:
    """Return whether a matrix is stored by rows (N) or columns (T), and its leading dimension."""
    (rows, columns), (row_step, column_step) = matrix.shape, matrix.strides
    if (column_step == _ITEM or columns == 1) and (row_step >= columns * _ITEM or rows == 1) \
            and row_step % _ITEM == 0:
        return b"N", max(row_step // _ITEM, columns)
    if (row_step == _ITEM or rows == 1) and (column_step >= rows * _ITEM or columns == 1) \
            and column_step % _ITEM == 0:
        return b"T", max(column_step // _ITEM, rows)
    return None
