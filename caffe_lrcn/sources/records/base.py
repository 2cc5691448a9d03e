"""What a reader of records is: it knows one kind of file, and neither order nor transform.

A reader is asked for records by number and gives them in blocks: one picture with its label, or
all wanted rows of a file at once.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ...errors import DataError
from ..base import Shape
from ..transform import Picture


class Block(Protocol):
    """Records that are read together; they have one value per top, of one shape."""

    @property
    def count(self) -> int:
        """How many records there are."""

    @property
    def where(self) -> str:
        """Where they are, for error messages."""

    @property
    def name(self) -> str:
        """What the picture is called, for error messages; may be empty."""

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

    def close(self) -> None:
        """Close files."""


class Namer(Protocol):
    """Tells of a record by number, for error messages."""

    def where(self, number: int) -> str:
        """Return where it is."""

    def name(self, number: int) -> str:
        """Return what its picture is called; may be empty."""


@dataclass(slots=True)
class Record:
    """A block of one record: a value per top, which is a picture or what NumPy can copy."""

    values: Sequence[Picture | float | np.ndarray]
    number: int
    namer: Namer

    count = 1

    @property
    def where(self) -> str:
        """Where the record is."""
        return self.namer.where(self.number)

    @property
    def name(self) -> str:
        """What its picture is called."""
        return self.namer.name(self.number)

    def shapes(self) -> list[Shape]:
        """Return the shape of each value; (H, W, C) for a picture."""
        return [value.pixels.shape if isinstance(value, Picture) else getattr(value, "shape", ())
                for value in self.values]

    def pictures(self, top: int) -> Sequence[Picture]:
        """Return the picture for a top."""
        value = self.values[top]
        assert isinstance(value, Picture)
        return [value]

    def write(self, top: int, out: np.ndarray) -> None:
        """Write another value to a (1, ...) array."""
        out[0] = self.values[top]


def blamed(block: Block, error: DataError) -> DataError:
    """Return an error of a block's picture that names it and its place."""
    error.where = block.where
    if block.name:
        error.message = f"{block.name}: {error.message}"
    return error
