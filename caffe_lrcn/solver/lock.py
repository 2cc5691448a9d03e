"""A lock on a snapshot_prefix: two trainings that write the same files would ruin both.

The system holds the lock for the process, so that it ends with it, after ``kill -9`` too.
"""
from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .. import glog
from ..errors import SnapshotError
from ..files import is_running, writing

_TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)
_REMEDY = "Wait for its end, or train under another snapshot_prefix (--run NAME, --set)"


@contextmanager
def locked(prefix: str) -> Iterator[None]:
    """Hold the lock of a prefix, the file ``<prefix>.lock``, for the time of the block.

    Raises:
        SnapshotError: another training holds it, or the file cannot be made.
    """
    path = f"{prefix}.lock"
    with writing(path, SnapshotError, "the lock file", "Set snapshot_prefix to a folder that is "
                 "writable, for example with --set snapshot_prefix=out/mynet."):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        descriptor = _open_locked(path)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()} {socket.gethostname()}\n".encode())
    try:
        yield
    finally:
        if os.name == "nt":  # where an open file cannot be removed
            os.close(descriptor)
        with suppress(OSError):
            os.remove(path)
        if os.name != "nt":
            os.close(descriptor)


def _open_locked(path: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    while True:
        descriptor = os.open(path, flags, 0o666)
        try:
            _lock(descriptor, path)
            # The training before may have removed the file after it was opened here.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int, path: str) -> None:
    try:
        _ask_system(descriptor)
    except OSError as error:
        holder = _holder(path)
        if error.errno in _TAKEN:
            raise _held(path, holder) from None
        # A network folder may know no locks: then only what the file says can be gone by.
        glog.warning(f"{path}: this file system has no locks ({error.strerror}); a training on "
                     "another machine with the same snapshot_prefix is not noticed")
        if holder and holder[1] == socket.gethostname() and is_running(int(holder[0])):
            raise _held(path, holder) from None


def _ask_system(descriptor: int) -> None:
    """Lock a file without waiting; an OSError says that it is taken, or cannot be locked."""
    try:
        import fcntl
    except ImportError:
        import msvcrt
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)  # what the file says stays readable
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(path: str) -> list[str] | None:
    """Return process and machine of the training that wrote the lock file."""
    with suppress(OSError, UnicodeDecodeError):
        with open(path, encoding="utf-8") as file:
            words = file.read(1000).split()
        if len(words) == 2 and words[0].isdecimal():
            return words
    return None


def _held(path: str, holder: list[str] | None) -> SnapshotError:
    who = f"process {holder[0]} on {holder[1]}" if holder else None
    return SnapshotError("another training with this snapshot_prefix is running", where=path,
                         got=who, remedy=_REMEDY)
