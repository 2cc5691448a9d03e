"""What a reader of records is: it knows one kind of file, and neither order nor transform.

A reader is asked for records by number and gives them in blocks: one picture with its label, or
all wanted rows of a file at once.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..base import Shape
from ..transform import Picture


class Block(Protocol):
    """Records that are read together; they have one value per top, of one shape."""

    @property
    def count(self) -> int:
        """How many records there are."""

    def shapes(self) -> list[Shape]:
        """Return the shape of one record's value for each top; (H, W, C) for a picture."""

    def pictures(self, top: int) -> Sequence[Picture]:
        """Return the records' pictures for a top that takes pictures."""

    def write(self, top: int, out: np.ndarray) -> None:
        """Write the records' values for another top to a C-contiguous (count, ...) array."""


class Reader(Protocol):
    """Open files of one kind; lives in one thread or process."""

    @property
    def count(self) -> int | None:
        """How many records there are; None as long as that is unknown."""

    @property
    def pictures(self) -> Sequence[bool]:
        """Which tops take pictures, which go through the transform."""

    def read(self, numbers: np.ndarray) -> Iterator[Block]:
        """Yield the records of these numbers, in this order.

        Numbers of one call differ, unless the order draws with replacement. Past the last record
        the reader stops, and ``count`` is known from then on.

        Raises:
            DataError: a record or file is missing, damaged or of the wrong form.
        """

    def place(self, number: int) -> tuple[str, str]:
        """Return where a record is, and what its picture is called (or ''), for error messages."""

    def close(self) -> None:
        """Close files."""


@dataclass(slots=True)
class Record:
    """A block of one record: a value per top, which is a picture or what NumPy can copy."""

    values: Sequence[Picture | float | np.ndarray]

    count = 1

    def shapes(self) -> list[Shape]:
        """Return the shape of each value; (H, W, C) for a picture."""
        return [getattr(value, "shape", ()) for value in self.values]

    def pictures(self, top: int) -> Sequence[Picture]:
        """Return the picture for a top."""
        value = self.values[top]
        assert isinstance(value, Picture)
        return [value]

    def write(self, top: int, out: np.ndarray) -> None:
        """Write another value to a (1, ...) array."""
        out[0] = self.values[top]
