"""Checks that keep a kernel from reading or writing past the end of an array."""
from __future__ import annotations

from typing import Any

from ...errors import LabelError, ShapeError


def same_size(**arrays: Any) -> int:
    """Return the common number of elements of the arrays, which are named for the message.

    Raises:
        ShapeError: they differ.
    """
    sizes = {name: array.size for name, array in arrays.items() if array is not None}
    if len(set(sizes.values())) > 1:
        raise ShapeError("arrays that must be of one size differ", got=sizes)
    return next(iter(sizes.values()))


def has_size(name: str, array: Any, wanted: int) -> None:
    """Check the number of elements of one array.

    Raises:
        ShapeError: it is not ``wanted``.
    """
    if array.size != wanted:
        raise ShapeError(f"array '{name}' has the wrong size", got=array.size, wanted=wanted)


def raise_bad_label(error: Any, what: str, wanted: str, remedy: str | None = None) -> None:
    """Raise if a kernel set its error word; ``error`` holds (flag, offending value).

    Reading the word waits for the kernel. That costs a few microseconds a call and gives the error
    where it happened, before a loss or a state computed from garbage is used.

    Raises:
        LabelError: naming the value.
    """
    flag, value = error.tolist()
    if flag:
        raise LabelError(what, got=f"{value:g}", wanted=wanted, remedy=remedy)
