"""Matrix products."""
from __future__ import annotations

import numpy as np


def gemm(a: np.ndarray, b: np.ndarray, out: np.ndarray, trans_a: bool = False,
         trans_b: bool = False, accumulate: bool = False) -> None:
    """Compute ``out = op(a) op(b)``, or add it to ``out``; ``op`` transposes where asked.

    Args:
        a: (M, K), or (K, M) with ``trans_a``.
        b: (K, N), or (N, K) with ``trans_b``.
        out: (M, N); must not overlap ``a`` or ``b``.
    """
    a = a.T if trans_a else a
    b = b.T if trans_b else b
    if accumulate:
        out += np.matmul(a, b)
    else:
        np.matmul(a, b, out=out)
