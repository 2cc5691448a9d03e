"""Table look-up and its gradient. Source: Caffe's embed_layer.

Indices are floating-point numbers; fractions are cut off. -1 marks padding: a row of zeros without
the bias, and no gradient. An index outside [-1, V) is treated alike.
"""
from __future__ import annotations

import numpy as np

from ..scalars import BAD_INDEX
from ..scratch import Scratch

PADDING = -1


def forward(index: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, out: np.ndarray,
            least: int, status: np.ndarray) -> None:
    """Write row ``index`` of the table, plus the bias, for every index.

    Args:
        index: any shape.
        weight: (V, D) table.
        bias: (D,) or None.
        out: index.shape + (D,), overwritten.
        least: -1, or 0 where padding is not allowed.
        status: the status word; an index outside [least, V) sets ``BAD_INDEX`` there.
    """
    rows = _rows(index, len(weight))
    out = out.reshape(-1, weight.shape[1])
    if len(weight):
        np.take(weight, rows, axis=0, out=out, mode="clip")  # "raise" would copy through a buffer
    if bias is not None:
        np.add(out, bias, out=out)
    # CAFFE-QUIRK, mended: Caffe reads the memory before the table for -1, which LRCN's aligned
    # streams really contain.
    out[rows < 0] = 0
    if (rows < least).any():
        status |= BAD_INDEX


def backward(index: np.ndarray, dy: np.ndarray, d_weight: np.ndarray | None,
             d_bias: np.ndarray | None, scratch: Scratch) -> None:
    """Add the gradients of the table and of the bias.

    Args:
        index: as in ``forward``.
        dy: index.shape + (D,).
        d_weight: (V, D), accumulated, or None.
        d_bias: (D,), accumulated, or None.
        scratch: for links between the places of one index.
    """
    units = dy.shape[-1]
    dy = dy.reshape(-1, units)
    if d_weight is not None:
        # Row by row: no temporary, a fixed order of summation, and nine times as fast as
        # np.add.at, three times as np.add.reduceat (2,000 rows of 1,000).
        for row, gradient in zip(_rows(index, len(d_weight)).tolist(), dy, strict=True):
            if row >= 0:
                target = d_weight[row]
                np.add(target, gradient, out=target)
    if d_bias is not None:
        kept = index.reshape(-1) > PADDING
        np.add(d_bias, dy.sum(axis=0) if kept.all() else dy[kept].sum(axis=0), out=d_bias)


def _rows(index: np.ndarray, size: int) -> np.ndarray:
    """Return whole indices, ``PADDING`` for padding and less for what is not a row at all."""
    with np.errstate(invalid="ignore"):  # NaN becomes a number far out of range
        rows = index.reshape(-1).astype(np.intp)
    rows[rows >= size] = PADDING - 1
    return rows
