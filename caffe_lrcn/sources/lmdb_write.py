"""Writing of LMDB databases, through the optional package lmdb."""
from __future__ import annotations

import os
from typing import Any

from .. import hints
from ..errors import DataError
from ..files import writing

_FIRST_MAP_BYTES = 16 << 20
_FOLDER_MODE = 0o744
_MOST_KEY_BYTES = 511  # a constant of LMDB


class LmdbWriter:
    """Writes records to a new LMDB database whose map grows as needed.

    Args:
        path: the folder to make.
        map_bytes: the first size of the map; it doubles when it is full.

    Raises:
        DataError: the path exists, the folder cannot be made, or lmdb is not installed.

    Source: Caffe util/db_lmdb.cpp.
    """

    def __init__(self, path: str, map_bytes: int = _FIRST_MAP_BYTES) -> None:
        self.path, self._map_bytes = path, map_bytes
        self._lmdb = _import_lmdb(path)
        if os.path.exists(path):
            raise DataError("the database exists already", where=path,
                            remedy="Remove it, or choose another name")
        with writing(path, DataError, "the database"):
            os.mkdir(path, _FOLDER_MODE)
        self._environment = self._lmdb.open(path, map_size=map_bytes)
        self._pending: list[tuple[bytes, bytes]] = []

    def put(self, key: bytes, value: bytes) -> None:
        """Add a record, or replace the one of this key; it is stored at the next ``commit``.

        Raises:
            DataError: the key is empty or longer than 511 bytes.
        """
        if not 0 < len(key) <= _MOST_KEY_BYTES:
            raise DataError(f"the key {key!r} cannot be stored", where=self.path,
                            got=f"{len(key)} bytes", wanted=f"1 to {_MOST_KEY_BYTES}")
        self._pending.append((key, value))

    def commit(self) -> None:
        """Store the records added since the last commit: all of them, or none.

        Raises:
            DataError: the disk is full.
        """
        while self._pending:
            try:
                with self._environment.begin(write=True) as transaction:
                    for key, value in self._pending:
                        transaction.put(key, value)
                self._pending = []
            except self._lmdb.MapFullError:
                self._map_bytes *= 2
                self._environment.set_mapsize(self._map_bytes)
            except (self._lmdb.Error, OSError) as error:
                raise DataError("the database cannot be written", where=self.path,
                                got=str(error)) from error

    def close(self) -> None:
        """Commit and close."""
        try:
            self.commit()
        finally:
            self._environment.close()


def _import_lmdb(path: str) -> Any:
    try:
        import lmdb
    except ImportError:
        raise DataError("writing LMDB needs the package lmdb", where=path,
                        remedy=hints.install("lmdb")) from None
    return lmdb
