"""Matrix products whose factors a GPU may round to TF32; ``blas`` in that mode."""
from __future__ import annotations

from typing import Any

from ..scratch import Scratch
from .matmul import matmul


def gemm(a: Any, b: Any, out: Any, scratch: Scratch, trans_a: bool = False,
         trans_b: bool = False, accumulate: bool = False) -> None:
    """Compute ``out = op(a) @ op(b)``, added to ``out`` if ``accumulate``; see ``blas.gemm``."""
    matmul(a, b, out, trans_a=trans_a, trans_b=trans_b, accumulate=accumulate, math="tf32")
