"""Table look-up and its gradient. Source: Caffe's embed_layer.

Indices are floating-point numbers; fractions are cut off. -1 marks padding: a row of zeros without
the bias, and no gradient. An index outside [-1, V) is treated alike.
"""
from __future__ import annotations

from typing import Any

from ..scalars import BAD_INDEX
from ..scratch import Scratch
from .checks import has_size
from .compile import THREADS, launch

_SOURCE = "embed.cu"


def forward(index: Any, weight: Any, bias: Any | None, out: Any, least: int, status: Any,
            scratch: Scratch) -> None:
    """Write row ``index`` of the table, plus the bias, for every index.

    Args:
        index: any shape.
        weight: (V, D) table.
        bias: (D,) or None.
        out: index.shape + (D,), overwritten.
        least: -1, or 0 where padding is not allowed.
        status: the status word; an index outside [least, V) sets ``BAD_INDEX`` there.
    """
    rows, units = weight.shape
    has_size("out", out, index.size * units)
    if bias is not None:
        has_size("bias", bias, units)
    launch(_SOURCE, "embed_forward", out.size,
           (index, weight, weight if bias is None else bias, bias is not None, rows, units, least,
            BAD_INDEX, out, status), out.dtype)


def backward(index: Any, dy: Any, d_weight: Any | None, d_bias: Any | None,
             scratch: Scratch) -> None:
    """Add the gradients of the table and of the bias.

    Args:
        index: as in ``forward``.
        dy: index.shape + (D,).
        d_weight: (V, D), accumulated, or None.
        d_bias: (D,), accumulated, or None.
        scratch: for links between the places of one index.
    """
    positions, units = index.size, dy.shape[-1]
    has_size("dy", dy, positions * units)
    if d_weight is not None:
        rows = d_weight.shape[0]
        has_size("d_weight", d_weight, rows * units)
        following = scratch.take(positions, "int32")
        launch(_SOURCE, "embed_links", positions, (index, rows, following), dy.dtype,
               block=THREADS)
        launch(_SOURCE, "embed_backward", dy.size, (index, following, dy, units, d_weight),
               dy.dtype)
    if d_bias is not None:
        has_size("d_bias", d_bias, units)
        launch(_SOURCE, "embed_bias_backward", units, (index, dy, positions, d_bias), dy.dtype,
               block=THREADS)
