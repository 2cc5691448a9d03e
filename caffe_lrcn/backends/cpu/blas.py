"""Matrix products: NumPy, and oneDNN for large float32 ones."""
from __future__ import annotations

import numpy as np

from ..scratch import Scratch
from .dnnl import library
from .dnnl.gemm import sgemm
from .threads import one_thread

# Below this many multiplications NumPy's smaller call overhead wins.
_SMALL = 64 ** 3
# NumPy's library divides larger products than _SMALL among threads. That is worth it from here on,
# where one thread takes about a millisecond.
_LARGE = 1 << 26
# Up to so many samples NumPy sums the gradient of weights up in oneDNN's order.
_FEW = 256


def gemm(a: np.ndarray, b: np.ndarray, out: np.ndarray, scratch: Scratch, trans_a: bool = False,
         trans_b: bool = False, accumulate: bool = False) -> None:
    """Compute ``out = op(a) op(b)``, or add it to ``out``; ``op`` transposes where asked.

    Large float32 products must all be oneDNN's: taking turns between its threads and those of
    NumPy's library costs 10 to 40 %. So are accumulating ones, where NumPy needs a temporary, but
    for small gradients of weights: there a call of oneDNN takes five times as long.

    Args:
        a: (M, K), or (K, M) with ``trans_a``.
        b: (K, N), or (N, K) with ``trans_b``.
        out: (M, N); must not overlap ``a`` or ``b``.
        scratch: for a product of NumPy's that is added to ``out``.
    """
    a = a.T if trans_a else a
    b = b.T if trans_b else b
    size = out.size * a.shape[1]
    small = size < _SMALL and (not accumulate or trans_a and _sums_alike(a, out))
    if size and not small and a.dtype == b.dtype == out.dtype == np.float32:
        lib = library()
        if lib is not None and sgemm(lib, a, b, out, accumulate):
            return
    if accumulate:
        with scratch.frame():
            product = scratch.take(out.shape, out.dtype)
            _multiply(a, b, product, size)
            out += product
    else:
        _multiply(a, b, out, size)


def _multiply(a: np.ndarray, b: np.ndarray, out: np.ndarray, size: int) -> None:
    if _SMALL <= size < _LARGE:
        with one_thread:
            np.matmul(a, b, out=out)
    else:
        np.matmul(a, b, out=out)


def _sums_alike(a: np.ndarray, out: np.ndarray) -> bool:
    """Tell whether NumPy's ``a out`` has oneDNN's bits: not in products of vectors."""
    return a.shape[1] <= _FEW and min(out.shape) > 1
