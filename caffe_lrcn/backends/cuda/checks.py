"""Checks that keep a kernel from reading or writing past the end of an array."""
from __future__ import annotations

from typing import Any

from ...errors import ShapeError


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

