"""Places in arrays as index arrays from ``scratch``: what NumPy's own functions return anew."""
from __future__ import annotations

import numpy as np

from ..scratch import Scratch

_numbers = np.arange(1024)
_numbers.flags.writeable = False


def count_up(size: int) -> np.ndarray:
    """Return ``np.arange(size)``, read-only: the beginning of one array that grows on demand."""
    global _numbers
    if size > _numbers.size:
        numbers = np.arange(2 * size)
        numbers.flags.writeable = False
        _numbers = numbers
        return numbers[:size]
    return _numbers[:size]


def places(mask: np.ndarray, scratch: Scratch) -> np.ndarray:
    """Return ``np.flatnonzero(mask)``; it may be read-only."""
    mask = mask.reshape(-1)
    numbers, count = count_up(mask.size), np.count_nonzero(mask)
    if count in (0, mask.size):
        return numbers[:count]
    # Each number goes into the slot of the next place found, the place itself last of them.
    ones, slots, found = (scratch.take(mask.shape, np.intp) for _ in range(3))
    np.copyto(ones, mask)
    np.add.accumulate(ones, out=slots)
    slots -= ones
    np.put(found, slots, numbers, mode="clip")
    return found[:count]


def whole_numbers(x: np.ndarray, scratch: Scratch) -> np.ndarray:
    """Return ``x`` without fractions, as integers; NaN becomes a number far out of range."""
    whole = scratch.take(x.shape, np.intp)
    with np.errstate(invalid="ignore"):
        np.copyto(whole, x, casting="unsafe")
    return whole


def class_places(picked: np.ndarray, classes: int, scratch: Scratch) -> np.ndarray:
    """Return where in an array (outer, classes, inner) the element of each label lies.

    Args:
        picked: (outer, inner) classes; for negative ones the place is that of class 0.
    """
    outer, inner = picked.shape
    flat = scratch.take(picked.shape, np.intp)
    np.copyto(flat, picked)
    np.maximum(flat, 0, out=flat)
    if inner > 1:
        flat *= inner
        flat += count_up(inner)
    rows = np.multiply(count_up(outer), classes * inner, out=scratch.take(outer, np.intp))
    flat += rows[:, None]
    return flat
