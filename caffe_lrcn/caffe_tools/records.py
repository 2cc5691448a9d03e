"""Writing databases of Datum records in transactions of a thousand."""
from __future__ import annotations

from types import TracebackType
from typing import Protocol

from .. import glog
from ..errors import UsageError
from ..proto.caffe_pb2 import Datum
from ..sources.leveldb import LevelDbWriter
from ..sources.lmdb_write import LmdbWriter

KINDS = ("lmdb", "leveldb")
RECORDS_PER_COMMIT = 1000


class Writer(Protocol):
    """A new database."""

    def put(self, key: bytes, value: bytes) -> None:
        """Add a record."""

    def commit(self) -> None:
        """Store the records added since the last commit."""

    def close(self) -> None:
        """Commit and close."""


class RecordWriter:
    """Writes Datum messages to a new database; a context manager, which closes it.

    Args:
        path: the database's folder, which must not exist.
        kind: ``lmdb`` or ``leveldb``.

    Raises:
        UsageError: another kind.
        DataError: the folder exists, or the package for this kind is missing.

    Source: Caffe tools/convert_imageset.cpp.
    """

    def __init__(self, path: str, kind: str = "lmdb") -> None:
        if kind not in KINDS:
            raise UsageError("unknown kind of database", got=kind, wanted=" or ".join(KINDS))
        self._database: Writer = LmdbWriter(path) if kind == "lmdb" else LevelDbWriter(path)
        self.count = 0

    def put(self, key: str, datum: Datum) -> None:
        """Add a record; every thousandth stores those before it and says so in the log."""
        self._database.put(key.encode(errors="surrogateescape"), datum.SerializeToString())
        self.count += 1
        if self.count % RECORDS_PER_COMMIT == 0:
            self._database.commit()
            glog.info("Processed %d files.", self.count)

    def __enter__(self) -> RecordWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._database.close()
        if kind is None and self.count % RECORDS_PER_COMMIT:
            glog.info("Processed %d files.", self.count)
