"""Pictures and labels stored as Datum records in a database, in the order of keys."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from ...errors import DataError
from ..datum import parse_picture
from ..leveldb import LevelDbReader
from ..lmdb_read import LmdbFile
from ..transform import Picture
from .base import Record

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


class DatabaseRecords:
    """Record ``k`` is the picture, and if wanted the label, of the ``k``-th key.

    Args:
        path: the database's folder.
        kind: ``LMDB`` or ``LEVELDB``.
        labels: whether a second top takes the labels.
        color: how to decode encoded pictures: colour, grey, or as they are (None).
    """

    def __init__(self, path: str, kind: str, labels: bool, color: bool | None) -> None:
        self.pictures = [True, False] if labels else [True]
        self._path, self._color = path, color
        self._database = open_database(path, kind)

    @property
    def count(self) -> int | None:
        """How many records there are; None until the end of a LevelDB database was met."""
        return self._database.count

    def read(self, numbers: np.ndarray) -> Iterator[Record]:
        """Yield pictures and labels.

        Raises:
            DataError: a record is damaged, or there is none at all.
        """
        for number in numbers.tolist():
            found = self._database.find(number)
            if found is None:
                if not self.count:
                    raise DataError("the database has no records", where=self._path)
                return
            yield self._record(*found)

    def place(self, number: int) -> tuple[str, str]:
        """Return the database and the key of a record, and no name."""
        found = self._database.find(number)
        return self._at(found[0]) if found else self._path, ""

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _at(self, key: bytes) -> str:
        return f"{self._path}: record '{key.decode(errors='backslashreplace')}'"

    def _record(self, key: bytes, content: bytes) -> Record:
        try:
            pixels, datum = parse_picture(content, self._color)
        except DataError as error:
            error.where = self._at(key)
            raise
        picture = Picture(pixels, datum.encoded)
        return Record((picture, datum.label) if len(self.pictures) > 1 else (picture,))
