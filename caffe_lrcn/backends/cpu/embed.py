"""Table look-up and its gradient. Source: Caffe's embed_layer.

Indices are floating-point numbers; fractions are cut off. -1 marks padding: a row of zeros without
the bias, and no gradient. An index outside [-1, V) is treated alike.
"""
from __future__ import annotations

import numpy as np

from ..scalars import BAD_INDEX
from ..scratch import Scratch
from .places import places, whole_numbers

PADDING = -1


def forward(index: np.ndarray, weight: np.ndarray, bias: np.ndarray | None, out: np.ndarray,
            least: int, status: np.ndarray, scratch: Scratch) -> None:
    """Write row ``index`` of the table, plus the bias, for every index.

    Args:
        index: any shape.
        weight: (V, D) table.
        bias: (D,) or None.
        out: index.shape + (D,), overwritten.
        least: -1, or 0 where padding is not allowed.
        status: the status word; an index outside [least, V) sets ``BAD_INDEX`` there.
    """
    rows = _rows(index, len(weight), scratch)
    out = out.reshape(-1, weight.shape[1])
    if len(weight):
        np.take(weight, rows, axis=0, out=out, mode="clip")  # "raise" would copy through a buffer
    if bias is not None:
        np.add(out, bias, out=out)
    # CAFFE-QUIRK, mended: Caffe reads the memory before the table for -1, which LRCN's aligned
    # streams really contain.
    missing = np.less(rows, 0, out=scratch.take(rows.shape, bool))
    out[places(missing, scratch)] = 0
    if rows.size and rows.min() < least:
        status |= BAD_INDEX


def backward(index: np.ndarray, dy: np.ndarray, d_weight: np.ndarray | None,
             d_bias: np.ndarray | None, scratch: Scratch) -> None:
    """Add the gradients of the table and of the bias.

    Args:
        index: as in ``forward``.
        dy: index.shape + (D,).
        d_weight: (V, D), accumulated, or None.
        d_bias: (D,), accumulated, or None.
        scratch: for the places of indices.
    """
    units = dy.shape[-1]
    dy = dy.reshape(-1, units)
    if d_weight is not None:
        # Row by row: no temporary, a fixed order of summation, and nine times as fast as
        # np.add.at, three times as np.add.reduceat (2,000 rows of 1,000).
        rows = memoryview(_rows(index, len(d_weight), scratch))
        for row, gradient in zip(rows, dy, strict=True):
            if row >= 0:
                target = d_weight[row]
                np.add(target, gradient, out=target)
    if d_bias is not None:
        kept = np.greater(index.reshape(-1), PADDING, out=scratch.take(index.size, bool))
        if not kept.all():
            counting = places(kept, scratch)
            dy = np.take(dy, counting, axis=0, mode="clip",
                         out=scratch.take((counting.size, units), dy.dtype))
        np.add(d_bias, np.sum(dy, axis=0, out=scratch.take(units, dy.dtype)), out=d_bias)


def _rows(index: np.ndarray, size: int, scratch: Scratch) -> np.ndarray:
    """Return whole indices, ``PADDING`` for padding and less for what is not a row at all."""
    rows = whole_numbers(index.reshape(-1), scratch)
    beyond = np.greater_equal(rows, size, out=scratch.take(rows.shape, bool))
    np.copyto(rows, PADDING - 1, where=beyond)
    return rows
