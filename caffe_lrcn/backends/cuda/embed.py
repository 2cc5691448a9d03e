"""Table look-up and its gradient. Source: Caffe's embed_layer."""
from __future__ import annotations

from typing import Any

from .checks import has_size, raise_bad_label
from .compile import THREADS, array_module, launch

_SOURCE = "embed.cu"


def forward(index: Any, weight: Any, bias: Any | None, out: Any) -> None:
    """Write row ``index`` of the table, plus the bias, for every index.

    Args:
        index: any shape; fractions are cut off. -1 marks padding and gives a row of zeros,
            without the bias.
        weight: (V, D) table.
        bias: (D,) or None.
        out: index.shape + (D,), overwritten.

    Raises:
        LabelError: an index outside [-1, V).
    """
    rows, units = weight.shape
    has_size("out", out, index.size * units)
    error = array_module(out).zeros(2, out.dtype)
    launch(_SOURCE, "embed_forward", out.size, (index, weight, rows, units, error, out), out.dtype)
    raise_bad_label(error, "an index lies outside the table", f"0 to {rows - 1}, or -1 for padding")
    if bias is not None:
        has_size("bias", bias, units)
        launch(_SOURCE, "embed_add_bias", out.size, (index, bias, units, out), out.dtype)


def backward(index: Any, dy: Any, d_weight: Any | None, d_bias: Any | None) -> None:
    """Add the gradients of the table and of the bias; padding contributes nothing.

    Args:
        index: as in ``forward``, which has refused those outside the table.
        dy: index.shape + (D,).
        d_weight: (V, D), accumulated, or None.
        d_bias: (D,), accumulated, or None.
    """
    positions, units = index.size, dy.shape[-1]
    has_size("dy", dy, positions * units)
    if d_weight is not None:
        rows = d_weight.shape[0]
        has_size("d_weight", d_weight, rows * units)
        launch(_SOURCE, "embed_backward", dy.size,
               (_sorted_keys(index), dy, positions, rows, units, d_weight), dy.dtype)
    if d_bias is not None:
        has_size("d_bias", d_bias, units)
        launch(_SOURCE, "embed_bias_backward", units, (index, dy, positions, d_bias), dy.dtype,
               block=THREADS)


def _sorted_keys(index: Any) -> Any:
    """Return row * positions + position, sorted: no two are equal, so the order is one only."""
    keys = index.reshape(-1).astype("int64") * index.size
    keys += array_module(index).arange(index.size, dtype="int64")
    keys.sort()
    return keys
