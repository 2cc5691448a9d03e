"""Pictures and labels stored as Datum records in a database, in the order of keys."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..errors import DataError
from ..proto.caffe_pb2 import Datum
from .base import Allocate, Batch, Cursor, Random, Shape
from .datum import parse_datum, pixels
from .leveldb import LevelDbReader
from .lmdb_read import LmdbFile
from .transform import Transform

LMDB, LEVELDB = "LMDB", "LEVELDB"


class Database(Protocol):
    """An open database."""

    @property
    def count(self) -> int | None:
        """How many records there are; None as long as that is unknown."""

    def find(self, index: int) -> tuple[bytes, bytes] | None:
        """Return key and value of a record; None past the end, and ``count`` is known then."""

    def close(self) -> None:
        """Close files."""


def open_database(path: str, kind: str) -> Database:
    """Open a database for reading.

    Args:
        path: its folder.
        kind: ``LMDB`` or ``LEVELDB``.

    Raises:
        DataError: it is missing, damaged or of another kind, or a package for it is missing.
    """
    return LmdbFile(path) if kind == LMDB else LevelDbReader(path)


@dataclass(frozen=True)
class DatabaseSpec:
    """Records to read: number ``record`` of the database, in round ``epoch`` through it.

    A cursor past the last record goes on in the next epoch.

    Args:
        path: the database's folder.
        kind: ``LMDB`` or ``LEVELDB``.
        records: number of records, if known beforehand.
        labels: whether a second array takes the labels.
        transform: for raw pictures; ``encoded_transform`` for encoded ones.
        color: how to decode encoded pictures: colour, grey, or as they are (None).
        random: names the draws of mirroring and cropping.
    """

    path: str
    kind: str
    records: int | None
    batch_size: int
    labels: bool
    transform: Transform
    encoded_transform: Transform
    color: bool | None
    random: Random
    dtype: str = "float32"

    def open(self) -> DatabaseSource:
        """Return a source over this database."""
        return DatabaseSource(self)

    def start_cursor(self) -> Cursor:
        """Return the cursor of the first record."""
        return {"record": 0, "epoch": 0}

    def next_cursor(self, cursor: Cursor) -> Cursor:
        """Return the cursor one batch further."""
        return wrapped(cursor["record"] + self.batch_size, cursor["epoch"], self.records)


def wrapped(record: int, epoch: int, count: int | None) -> Cursor:
    """Return a cursor that lies inside the database, if its number of records is known."""
    if count:
        epoch, record = epoch + record // count, record % count
    return {"record": record, "epoch": epoch}


class DatabaseSource:
    """Reads batches of consecutive records."""

    def __init__(self, spec: DatabaseSpec) -> None:
        self.spec = spec
        self._database = open_database(spec.path, spec.kind)

    def shapes(self) -> list[Shape]:
        """Return the shapes of pictures and labels, from the first record."""
        _, key, datum = self._load(self.spec.start_cursor())
        image, transform = self._pixels(key, datum)
        return self._batch_shapes(self._shape(key, image, transform))

    def batch(self, cursor: Cursor, allocate: Allocate | None = None) -> Batch:
        """Read the records at ``cursor``: (N, C, H, W) values and, if wanted, (N,) labels.

        Raises:
            DataError: a record is damaged, or of another size than the first one.
        """
        spec = self.spec
        arrays: list[np.ndarray] = []
        first: tuple[bytes, Shape] = b"", ()
        for item in range(spec.batch_size):
            cursor, key, datum = self._load(cursor)
            image, transform = self._pixels(key, datum)
            shape = self._shape(key, image, transform)
            if not item:
                first = key, shape
                arrays = [allocate(each) if allocate else np.empty(each, spec.dtype)
                          for each in self._batch_shapes(shape)]
            elif shape != first[1]:
                raise self._size_error(key, shape, *first)
            rng = None
            if transform.draws:
                rng = spec.random.generator("record", cursor["epoch"], cursor["record"])
            transform.apply(image, rng, arrays[0][item])
            if spec.labels:
                arrays[1][item] = datum.label
            cursor = wrapped(cursor["record"] + 1, cursor["epoch"], self._database.count)
        return Batch(arrays, cursor)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _load(self, cursor: Cursor) -> tuple[Cursor, bytes, Datum]:
        """Return the record at a cursor, and the cursor made to lie inside the database."""
        found = self._database.find(cursor["record"])
        if found is None:
            if not self._database.count:
                raise DataError("the database has no records", where=self.spec.path)
            cursor = wrapped(cursor["record"], cursor["epoch"], self._database.count)
            found = self._database.find(cursor["record"])
            assert found is not None
        key, content = found
        try:
            return cursor, key, parse_datum(content)
        except DataError as error:
            raise self._at(key, error) from None

    def _pixels(self, key: bytes, datum: Datum) -> tuple[np.ndarray, Transform]:
        spec = self.spec
        try:
            return (pixels(datum, spec.color),
                    spec.encoded_transform if datum.encoded else spec.transform)
        except DataError as error:
            raise self._at(key, error) from error

    def _shape(self, key: bytes, image: np.ndarray, transform: Transform) -> Shape:
        try:
            return transform.shape(image.shape)
        except DataError as error:
            raise self._at(key, error) from None

    def _batch_shapes(self, shape: Shape) -> list[Shape]:
        batch = self.spec.batch_size
        return [(batch, *shape), (batch,)] if self.spec.labels else [(batch, *shape)]

    def _at(self, key: bytes, error: DataError) -> DataError:
        error.where = f"{self.spec.path}: {_name(key)}"
        return error

    def _size_error(self, key: bytes, shape: Shape, first: bytes, first_shape: Shape) -> DataError:
        return self._at(key, DataError(
            "the picture has another size than the first of its batch", got=shape,
            wanted=f"{first_shape} (channels, height, width) as {_name(first)}",
            remedy="Store pictures of one size, or set crop_size, or batch_size 1"))


def _name(key: bytes) -> str:
    return f"record '{key.decode(errors='backslashreplace')}'"
