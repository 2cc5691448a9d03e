"""Files written safely: a full disk is an ordinary error, and no reader meets half a file."""
from __future__ import annotations

import errno
import glob
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from .errors import CaffeError

if TYPE_CHECKING:
    import h5py

_WRITER = re.compile(r"\.(?P<process>\d+)\.partial$")


@contextmanager
def writing(path: str | os.PathLike[str], kind: type[CaffeError], what: str,
            remedy: str | None = None) -> Iterator[None]:
    """Turn an OSError of the block into an error of the package.

    Args:
        path: the file or folder that is written.
        kind: class of the error.
        what: what is written, such as ``the chart``.
        remedy: what the user can do about it.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, CaffeError):
            raise
        cause = error.strerror or f"{error}; the disk may be full"  # NumPy does not tell
        raise kind(f"{what} cannot be written: {cause}", where=path, remedy=remedy) from error


@contextmanager
def replacing(path: str | os.PathLike[str], kind: type[CaffeError], what: str,
              remedy: str | None = None) -> Iterator[str]:
    """Give the block a temporary name to write to; then put that file in the place of ``path``.

    If the block fails, a file that was there stays as it is. A path that is something else than a
    file (a device, a pipe) is written as it is. A link stays one, and where it points to is
    written, unless somebody else put it there.

    Args:
        path, kind, what, remedy: as for ``writing``.
    """
    with writing(path, kind, what, remedy):
        if _is_planted(path):
            raise PermissionError(errno.EPERM, "this is a link that another user made")
        target = os.path.realpath(path)
        if os.path.exists(target) and not os.path.isfile(target):
            yield target
            return
        try:
            yield claim(target)
            sync(temporary(target))
            os.replace(temporary(target), target)
        except BaseException:
            with suppress(OSError):
                os.remove(temporary(target))
            raise


@contextmanager
def new_file(path: str | os.PathLike[str], kind: type[CaffeError], what: str,
             mode: str = "w", newline: str | None = None) -> Iterator[Any]:
    """Open a file for writing (``w``: UTF-8 text, ``wb``: bytes) that appears when it is whole.

    Args:
        path, kind, what: as for ``writing``.
        newline: as for ``open``.
    """
    with (replacing(path, kind, what) as name,
          open(name, mode, encoding=None if "b" in mode else "utf-8", newline=newline) as stream):
        yield stream


def temporary(path: str) -> str:
    """Return the name under which this process writes the file ``path``."""
    return f"{path}.{os.getpid()}.partial"


def claim(path: str) -> str:
    """Make the temporary file of ``path``, and return its name.

    Its name can be guessed, so a link of this name may wait to have another file overwritten; it
    is not followed.

    Raises:
        OSError: it cannot be made.
    """
    name = temporary(path)
    with suppress(FileNotFoundError):
        os.remove(name)
    os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    return name


def remove_leftovers(stem: str) -> None:
    """Remove the temporaries of files that begin with ``stem``, but for those of running processes.

    Raises:
        OSError: one cannot be removed.
    """
    for path in glob.glob(f"{glob.escape(stem)}*.partial"):
        if not _is_being_written(path):
            with suppress(FileNotFoundError):
                os.remove(path)


def sync(path: str) -> None:
    """Wait until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_planted(path: str | os.PathLike[str]) -> bool:
    """Tell whether a path is a link that is neither ours nor that of its folder's owner.

    The rule is the one by which Linux protects links in ``/tmp``; since the target is replaced
    and not opened, the system does not apply it here.
    """
    if not os.path.islink(path) or not hasattr(os, "geteuid"):
        return False
    folder = os.path.dirname(os.path.abspath(path))
    return os.lstat(path).st_uid not in (os.geteuid(), os.stat(folder).st_uid)


def is_running(process: int) -> bool:
    """Tell whether there is a process of this number on this machine."""
    try:
        os.kill(process, 0)  # signal 0 only asks whether the process is there
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


def _is_being_written(path: str) -> bool:
    match = _WRITER.search(path)
    if not match or int(match["process"]) == os.getpid():
        return False
    return is_running(int(match["process"]))


@contextmanager
def new_hdf5(path: str | os.PathLike[str]) -> Iterator[h5py.File]:
    """Open a new HDF5 file for writing.

    Raises:
        OSError: the file cannot be made, or, once the block is left, a write has failed.
    """
    import h5py
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
