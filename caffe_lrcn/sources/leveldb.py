"""LevelDB databases, through the optional package plyvel."""
from __future__ import annotations

import itertools
import os
from collections.abc import Generator
from typing import Any

from .. import hints
from ..errors import DataError

_BLOCK_BYTES = 64 << 10
_WRITE_BUFFER_BYTES = 256 << 20
_OPEN_FILES = 100


class LevelDbReader:
    """Records by number, best in rising order.

    LevelDB lets one process open a database, and it has no numbers: a step back, or a first step
    far ahead, goes through all records before.

    Raises:
        DataError: the database is missing, damaged or in use, or plyvel is not installed.

    Source: Caffe util/db_leveldb.cpp.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.count: int | None = None
        if not os.path.isfile(os.path.join(path, "CURRENT")):
            raise DataError("there is no LevelDB database", where=path,
                            remedy="Name its folder; for an LMDB database write backend: LMDB")
        self._database = open_leveldb(path, create_if_missing=False)
        self._next, self._records = 0, self._from_start()

    def find(self, index: int) -> tuple[bytes, bytes] | None:
        """Return key and value of a record, or None past the end."""
        if self.count is not None and index >= self.count:
            return None
        if index < self._next:
            self._next, self._records = 0, self._from_start()
        try:
            for record in self._records:
                self._next += 1
                if self._next > index:
                    return record
        except Exception as error:  # plyvel's errors; the package may not be there to name them
            self._next, self._records = 0, self._from_start()
            raise DataError("the LevelDB database cannot be read; it may be damaged",
                            where=self.path, got=str(error)) from error
        self.count = self._next
        return None

    def ends(self) -> list[tuple[bytes, bytes]]:
        """Return the first and the last record; nothing of an empty database."""
        both = (self._database.iterator(fill_cache=False, reverse=way) for way in (False, True))
        return [record for found in both for record in itertools.islice(found, 1)]

    def close(self) -> None:
        """Close the database, so that others can open it."""
        self._records.close()
        self._database.close()

    def _from_start(self) -> Generator[tuple[bytes, bytes], None, None]:
        yield from self._database.iterator(fill_cache=False)


class LevelDbWriter:
    """Writes records to a new LevelDB database.

    Raises:
        DataError: the folder exists, or plyvel is not installed.

    Source: Caffe util/db_leveldb.cpp.
    """

    def __init__(self, path: str) -> None:
        if os.path.exists(path):
            raise DataError("the database exists already", where=path,
                            remedy="Remove it, or choose another name")
        self._database = open_leveldb(path, create_if_missing=True, error_if_exists=True)
        self._batch = self._database.write_batch()

    def put(self, key: bytes, value: bytes) -> None:
        """Add a record; it is stored at the next ``commit``."""
        self._batch.put(key, value)

    def commit(self) -> None:
        """Store the records added since the last commit."""
        self._batch.write()
        self._batch.clear()

    def close(self) -> None:
        """Commit and close."""
        self.commit()
        self._database.close()


def open_leveldb(path: str, **options: bool) -> Any:
    """Open a database with the block sizes that Caffe uses.

    Raises:
        DataError: it cannot be opened, or plyvel is not installed.
    """
    try:
        import plyvel
    except ImportError:
        raise DataError("LevelDB needs the package plyvel", where=path,
                        remedy=f"{hints.install('leveldb')}; or convert the database to LMDB"
                        ) from None
    try:
        return plyvel.DB(path, block_size=_BLOCK_BYTES, write_buffer_size=_WRITE_BUFFER_BYTES,
                         max_open_files=_OPEN_FILES, **options)
    except (plyvel.Error, OSError) as error:
        raise DataError("the LevelDB database cannot be opened", where=path,
                        got=str(error)) from None
