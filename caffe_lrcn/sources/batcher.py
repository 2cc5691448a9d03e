"""Batches of records: order, cursor, shares of ranks, groups, transform and placing.

A reader knows files, an order knows numbers, a transform knows pictures; what they have in common
is here, once.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from ..errors import DataError
from .base import Allocate, Batch, Cursor, Random, Shape
from .orders import Order, Permutations
from .records.base import Block, Reader
from .transform import Picture, Transform


class PictureTransform(Protocol):
    """What pictures go through; see ``transform.Transform``."""

    @property
    def draws(self) -> bool:
        """Whether the result depends on random numbers."""

    def shape(self, image_shape: Shape) -> Shape:
        """Return the (C, H, W) that an (H, W, C) picture becomes."""

    def apply(self, picture: Picture, rng: np.random.Generator | None, out: np.ndarray) -> None:
        """Write a picture to a (C, H, W) array."""


@dataclass(frozen=True)
class BatchSpec:
    """What to read, as plain values that can be pickled and sent to a worker.

    A unit is ``group`` consecutive records of the reader, number ``u`` those from ``u * group``
    on: the frames of a clip. They share one crop, one flip and one random state.

    Args:
        reader: makes the reader: its class, or a partial call of it.
        order: which units come, one after another.
        batch_size: units in a batch (of one rank).
        random: names the draws of shuffling, mirroring and cropping.
        transform: what pictures go through.
        shard: (rank, ranks); of the batches that one rank alone would read, this one takes number
            ``k * ranks + rank``. A cursor is the same on all ranks.
        group: records in a unit.
        time_major: place record ``t`` of a batch's unit ``n`` at ``t * batch_size + n`` (T x N)
            instead of ``n * group + t``.
        dtype: name of the element type of every array.
    """

    reader: Callable[[], Reader]
    order: Order
    batch_size: int
    random: Random
    transform: PictureTransform = field(default_factory=Transform)
    shard: tuple[int, int] = (0, 1)
    group: int = 1
    time_major: bool = False
    dtype: str = "float32"

    def open(self) -> Batcher:
        """Return an open source."""
        return Batcher(self)

    def start_cursor(self) -> Cursor:
        """Return the cursor of the first batch."""
        return self.order.start(self.random)

    def next_cursor(self, cursor: Cursor, count: int | None = None) -> Cursor:
        """Return the cursor that follows; ``count`` units are there, if that is known."""
        return self.order.after(cursor, self.shard[1] * self.batch_size, count)


class Batcher:
    """Makes batches of a reader's records."""

    def __init__(self, spec: BatchSpec) -> None:
        self.spec, self._reader = spec, spec.reader()
        self._permutations = Permutations(spec.random)
        self._draws, self._pictures = spec.transform.draws, list(self._reader.pictures)
        places = np.arange(spec.batch_size * spec.group)
        if spec.time_major:
            places = places.reshape(spec.group, spec.batch_size).T.ravel()
        #: Where each record goes, in reading order.
        self._places: list[int] = places.tolist()

    def shapes(self) -> list[Shape]:
        """Return the shape of each top, from the first record."""
        part = self._part(self.spec.start_cursor(), self.spec.batch_size - 1)
        block = next(self._reader.read(part.numbers))
        return self._shapes(int(part.numbers[0]), block.shapes())

    def batch(self, cursor: Cursor, allocate: Allocate | None = None) -> Batch:
        """Read the batch at ``cursor``: an array per top, whose first axis counts records.

        Raises:
            DataError: a file or record is missing, damaged or of the wrong form; or a record has
                another size than the first one.
        """
        spec, done = self.spec, 0
        here = spec.order.after(cursor, spec.shard[0] * spec.batch_size, self._count)
        arrays: list[np.ndarray] = []
        first: tuple[int, list[Shape]] | None = None
        while done < spec.batch_size:
            part, read = self._part(here, done), 0
            for block in self._reader.read(part.numbers):
                shapes = block.shapes()
                if first is None:
                    number = int(part.numbers[read])
                    first = number, shapes
                    arrays = [allocate(shape) if allocate else np.empty(shape, spec.dtype)
                              for shape in self._shapes(number, shapes)]
                elif shapes != first[1]:
                    self._check_sizes(int(part.numbers[read]), shapes, first[0], arrays)
                self._place(block, read, part, arrays)
                read += block.count
            if read < spec.group and not self._count:
                raise DataError("there are fewer records than a group has",
                                got=self._reader.count, wanted=spec.group)
            here = spec.order.after(here, read // spec.group, self._count)
            done += read // spec.group
        return Batch(arrays, spec.next_cursor(cursor, self._count))

    def close(self) -> None:
        """Close the reader's files."""
        self._reader.close()

    @property
    def _count(self) -> int | None:
        """How many units there are, if that is known."""
        count = self._reader.count
        return None if count is None else count // self.spec.group

    def _part(self, cursor: Cursor, done: int) -> _Part:
        """Return what to read from a cursor on, when ``done`` units of the batch are there."""
        spec = self.spec
        run = spec.order.run(cursor, spec.batch_size - done, self._count, self._permutations)
        numbers = run.numbers
        if spec.group > 1:
            numbers = (spec.group * numbers[:, None] + np.arange(spec.group)).ravel()
        return _Part(numbers, run.draws, done * spec.group)

    def _shapes(self, number: int, shapes: list[Shape]) -> list[Shape]:
        """Return the shapes of the arrays of a batch whose records have these shapes."""
        try:
            return [(len(self._places), *(self.spec.transform.shape(shape) if picture else shape))
                    for shape, picture in zip(shapes, self._pictures, strict=True)]
        except DataError as error:
            raise self._placed(error, number) from None

    def _place(self, block: Block, start: int, part: _Part, arrays: list[np.ndarray]) -> None:
        """Write a block, which starts with record ``start`` of a part, to the arrays."""
        spec, item, index = self.spec, part.item + start, start
        for top, array in enumerate(arrays):
            if self._pictures[top]:
                try:
                    for index, picture in enumerate(block.pictures(top), start):
                        # The draws of a unit start anew for each of its records: they are alike.
                        rng = part.draws(index // spec.group) if self._draws else None
                        spec.transform.apply(picture, rng, array[self._places[part.item + index]])
                except DataError as error:
                    raise self._placed(error, int(part.numbers[index])) from None
            elif spec.time_major:
                values = np.empty((block.count, *array.shape[1:]), array.dtype)
                block.write(top, values)
                array[self._places[item:item + block.count]] = values
            else:
                block.write(top, array[item:item + block.count])

    def _placed(self, error: DataError, number: int) -> DataError:
        """Return an error of a record's picture that names it and its place."""
        error.where, name = self._reader.place(number)
        if name:
            error.message = f"{name}: {error.message}"
        return error

    def _check_sizes(self, number: int, shapes: list[Shape], first: int,
                     arrays: list[np.ndarray]) -> None:
        for shape, array in zip(self._shapes(number, shapes), arrays, strict=True):
            if shape != array.shape:
                where, name = self._reader.place(number)
                first_where, first_name = self._reader.place(first)
                raise DataError(
                    f"{name or 'the picture'} has another size than the first of its batch",
                    where=where, got=shape[1:],
                    wanted=f"{array.shape[1:]} (channels, height, width) as "
                           f"{first_name or 'the picture'} ({first_where})",
                    remedy="Store pictures of one size, or set crop_size (for ImageData "
                           "new_height and new_width do, too), or batch_size 1")


@dataclass(frozen=True)
class _Part:
    """A part of a batch: record numbers, the draws of its units, its first place in the batch."""

    numbers: np.ndarray
    draws: Callable[[int], np.random.Generator]
    item: int
