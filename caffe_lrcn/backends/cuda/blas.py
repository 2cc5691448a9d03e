"""Matrix products."""
from __future__ import annotations

from typing import Any

from ..scratch import Scratch
from .matmul import matmul


def gemm(a: Any, b: Any, out: Any, scratch: Scratch, trans_a: bool = False,
         trans_b: bool = False, accumulate: bool = False) -> None:
    """Compute ``out = op(a) @ op(b)``, added to ``out`` if ``accumulate``.

    Args:
        a, b, out: (rows, columns), row-major and dense.
        scratch: part of the common signature; cuBLAS adds by itself.
        trans_a, trans_b: whether ``op`` transposes.
    """
    matmul(a, b, out, trans_a=trans_a, trans_b=trans_b, accumulate=accumulate)
