"""Work through large arrays block by block: temporaries stay small and in the cache."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..scratch import Scratch

#: Elements in a block: 256 KiB of float32. Measured on a ReLU, 16 Ki elements take twice as long.
BLOCK = 1 << 16


def blocks(*arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield matching flat pieces of arrays of the same size, as views.

    Raises:
        ValueError: an array is not C-contiguous, so that writing to a piece would be lost.
    """
    if not all(array.flags.c_contiguous for array in arrays):
        raise ValueError("ops work on C-contiguous arrays only")
    flat = [array.reshape(-1) for array in arrays]
    for start in range(0, flat[0].size, BLOCK):
        yield tuple(array[start:start + BLOCK] for array in flat)


def rows_per_block(array: np.ndarray) -> int:
    """Return how many entries of axis 0 make about one block; at least one."""
    return max(1, BLOCK * len(array) // array.size) if array.size else 1


def block_of(array: np.ndarray, scratch: Scratch,
             dtype: type | np.dtype | None = None) -> np.ndarray:
    """Return a flat array from ``scratch`` that holds any block of ``array``."""
    return scratch.take(min(array.size, BLOCK), dtype or array.dtype)
