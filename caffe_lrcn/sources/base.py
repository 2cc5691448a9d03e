"""What a data source is: batches as a pure function of a cursor.

A cursor is a few integers. The same spec and the same cursor always give the same batch, down to
shuffling, mirroring and cropping, because every random draw is keyed by the seed and the place in
the data. So any number of workers gives the same bits, and resuming means starting at a cursor.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

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


class Source(Protocol):
    """An open source; lives in one thread or process."""

    def shapes(self) -> list[Shape]:
        """Return the shape of each top, as far as it is known before reading a batch."""

    def batch(self, cursor: Cursor, allocate: Allocate | None = None) -> Batch:
        """Read the batch at a cursor.

        Raises:
            DataError: a file is missing, damaged or of the wrong form.
        """

    def close(self) -> None:
        """Close files."""


class SourceSpec(Protocol):
    """A source's description: plain values that can be pickled and sent to a worker."""

    @property
    def dtype(self) -> str:
        """Name of the element type of every array."""

    def open(self) -> Source:
        """Return a source that reads as described; nothing is read yet."""

    def start_cursor(self) -> Cursor:
        """Return the cursor of the first batch."""

    def next_cursor(self, cursor: Cursor) -> Cursor:
        """Return the cursor that follows, without reading data."""


@dataclass(frozen=True)
class Random:
    """Names the random draws of one data layer: the run's seed, the phase and the layer."""

    seed: int
    phase: int
    layer: str

    def generator(self, *key: object) -> np.random.Generator:
        """Return the generator of the draws named ``key``."""
        return generator(self.seed, self.phase, self.layer, *key)
