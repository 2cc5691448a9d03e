"""HDF5 files written so that a full disk is an ordinary error."""
from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import h5py


@contextmanager
def new_hdf5(target: str | os.PathLike[str] | BinaryIO) -> Iterator[h5py.File]:
    """Open a new HDF5 file for writing, at a path or in an open file.

    Raises:
        OSError: the file cannot be made, or, once the block is left, a write has failed.
    """
    if not isinstance(target, (str, os.PathLike)):
        with h5py.File(target, "w") as file:
            yield file
        return
    with _Forgiving(target, "w+b") as raw:
        with h5py.File(raw, "w") as file:
            yield file
        if raw.failure is not None:
            raise raw.failure


class _Forgiving(io.FileIO):
    """A file that swallows failing writes and keeps the first error.

    libhdf5 cannot let go of a file whose writes fail: closing it prints a page of errors, and the
    process may crash. So it is told that all went well, and the error is raised afterwards.
    """

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all of ``data``; return its size in bytes, even where that failed."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        while len(rest) and self.failure is None:
            try:
                rest = rest[super().write(rest):]
            except OSError as error:
                self.failure = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Set the file's size in bytes, if that is possible."""
        try:
            return super().truncate(size)
        except OSError as error:
            self.failure = self.failure or error
            return size or 0
