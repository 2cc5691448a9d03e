"""HDF5 files: what somebody else made is read so that each defect is one error of the package, and
a full disk is an ordinary error."""
from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h5py

from .errors import CaffeError
from .memory import check_room

_COPY = "Copy what it leads to into this file, for example with h5repack"


@contextmanager
def hdf5_errors(path: str | os.PathLike[str], kind: type[CaffeError],
                remedy: str | None = None) -> Iterator[None]:
    """Turn whatever h5py raises in the block over a damaged file into an error of the package.

    Args:
        path: the file.
        kind, remedy: of the error.
    """
    try:
        yield
    except CaffeError as error:
        error.where = error.where or os.fspath(path)
        raise
    except Exception as error:  # there are nine kinds, and KeyError is not the oddest
        raise kind("damaged, truncated, or laid out in another way",
                   where=os.fspath(path), got=error, remedy=remedy) from error


def member(group: Any, name: str, kind: type[CaffeError]) -> Any:
    """Return the group or dataset of a name below a group, or None.

    Args:
        group: where to look.
        name: the name, or several with slashes between.
        kind: class of the error.

    Raises:
        CaffeError: of the class ``kind``: it lies in another file or takes its values from there,
            or one of its chunks does not fit in the memory.
    """
    found = group.get(name)
    if found is None:
        return None
    if found.file.filename != group.file.filename:
        raise kind(f"'{name}' is a link to another file", got=found.file.filename, remedy=_COPY)
    if isinstance(found, h5py.Dataset):
        if found.external or found.is_virtual:
            raise kind(f"dataset '{found.name}' takes its values from other files", remedy=_COPY)
        check_room(math.prod(found.chunks or ()) * found.dtype.itemsize, kind,
                   f"a chunk of dataset '{found.name}'")
    return found


@contextmanager
def new_hdf5(path: str | os.PathLike[str]) -> Iterator[h5py.File]:
    """Open a new HDF5 file for writing.

    Raises:
        OSError: the file cannot be made, or, once the block is left, a write has failed.
    """
    with ForgivingFile(path, "w+b") as raw:
        with h5py.File(raw, "w") as file:
            yield file
        if raw.failure is not None:
            raise raw.failure


class ForgivingFile(io.FileIO):
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
