"""What a data source is: batches as a pure function of a cursor.

A cursor is a few integers. The same spec and the same cursor always give the same batch, down to
shuffling, mirroring and cropping, because every random draw is keyed by the seed and the place in
the data. So any number of workers gives the same bits, and resuming means starting at a cursor.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..rng import generator

Cursor = dict[str, int]
Shape = tuple[int, ...]
#: Gives an array of a shape to fill; lets a worker write straight into shared memory.
Allocate = Callable[[Shape], np.ndarray]


@dataclass(frozen=True)
class Batch:
    """One array per top, and the cursor of the batch that follows."""

    arrays: list[np.ndarray]
    next_cursor: Cursor


@dataclass(frozen=True)
class Random:
    """Names the random draws of one data layer: the run's seed, the phase and the layer."""

    seed: int
    phase: int
    layer: str

    def generator(self, *key: object) -> np.random.Generator:
        """Return the generator of the draws named ``key``."""
        return generator(self.seed, self.phase, self.layer, *key)
