"""Files written safely: a full disk is an ordinary error, and no reader meets half a file."""
from __future__ import annotations

import ctypes
import errno
import glob
import os
import re
import shutil
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import CaffeError

#: How the name of an unfinished folder ends.
PARTIAL = ".partial"
_MOST_OF_A_DEVICE = 1 << 20
# Windows' numbers for asking about a process: the right to wait for it, and two answers.
_SYNCHRONIZE, _ACCESS_DENIED, _WAIT_TIMEOUT = 0x100000, 5, 258
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


def read_file(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a file, or of a pipe; of a device not more than it can have.

    Raises:
        OSError: it cannot be read, or is a device without an end, such as ``/dev/zero``.
    """
    try:
        with open(path, "rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if not stat.S_ISCHR(mode) and not stat.S_ISBLK(mode):
                return stream.read()
            content = stream.read(_MOST_OF_A_DEVICE)
    except ValueError as error:  # a zero byte in the name
        raise OSError(errno.EINVAL, str(error)) from None
    if len(content) == _MOST_OF_A_DEVICE:
        raise OSError(errno.EFBIG, "this is a device, not a file")
    return content


def read_lines(path: str | os.PathLike[str], encoding: str = "utf-8",
               errors: str = "strict") -> str:
    """Return the text of a file, its lines ended by ``\\n`` whatever ends them there.

    Raises:
        OSError: as for ``read_file``.
        UnicodeDecodeError: it is not text in this encoding.
    """
    text = read_file(path).decode(encoding, errors)
    return text.replace("\r\n", "\n").replace("\r", "\n")


@contextmanager
def replacing(path: str | os.PathLike[str], kind: type[CaffeError], what: str,
              remedy: str | None = None) -> Iterator[str]:
    """Give the block a temporary name to write to; then put that file in the place of ``path``.

    A missing folder is made. If the block fails, a file that was there stays as it is. A path that
    is something else than a file (a device, a pipe) is written as it is. A link stays one, and
    where it points to is written, unless somebody else put it there.

    Args:
        path, kind, what, remedy: as for ``writing``.
    """
    with writing(path, kind, what, remedy):
        refuse_planted(path)
        if os.path.exists(path) and not os.path.isfile(path):
            yield os.fspath(path)
            return
        target = os.path.realpath(path)
        _make_folder(target)
        try:
            yield claim(target)
            sync(temporary(target))
            os.replace(temporary(target), target)
        except BaseException:
            with suppress(OSError):
                os.remove(temporary(target))
            raise


def check_output(path: str | os.PathLike[str], kind: type[CaffeError], what: str) -> None:
    """Find out before long work whether a file can be written after it; make its missing folder.

    Args:
        path, kind, what: as for ``writing``.
    """
    with writing(path, kind, what):
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if os.path.exists(path):
            written = os.fspath(path)
        else:
            target = os.path.realpath(path)
            _make_folder(target)
            written = os.path.dirname(target)
            if not os.path.isdir(written):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(written, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _make_folder(path: str) -> None:
    folder = os.path.dirname(path)
    if not os.path.exists(folder):
        os.makedirs(folder)


@contextmanager
def new_folder(path: Path, kind: type[CaffeError], what: str,
               remedy: str | None = None) -> Iterator[Path]:
    """Give the block an empty folder to fill; then put it in the place of ``path``.

    If a file cannot be written, what was filled is removed, so that a full disk has its room back,
    and a folder that was there stays. What an interruption leaves is ``<path>.partial``, and the
    next try removes it.

    Args:
        path, kind, what, remedy: as for ``writing``.
    """
    partial = path.with_name(path.name + PARTIAL)
    with writing(path, kind, what, remedy):
        try:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            yield partial
            if path.exists():
                shutil.rmtree(path)
            partial.rename(path)
        except OSError:
            shutil.rmtree(partial, ignore_errors=True)
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
    """Wait until a file or folder is on the disk; Windows cannot do so for a folder."""
    folder = os.path.isdir(path)
    if folder and not hasattr(os, "O_DIRECTORY"):
        return
    # Windows syncs what is open for writing only.
    descriptor = os.open(path, os.O_RDONLY if folder else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refuse_planted(path: str | os.PathLike[str]) -> None:
    """Refuse a link that is neither ours nor that of its folder's owner.

    The rule is the one by which Linux protects links in ``/tmp`` that are opened; those that are
    replaced it does not protect.

    Raises:
        PermissionError: it is such a link.
    """
    if not os.path.islink(path) or not hasattr(os, "geteuid"):
        return
    folder = os.path.dirname(os.path.abspath(path))
    if os.lstat(path).st_uid not in (os.geteuid(), os.stat(folder).st_uid):
        raise PermissionError(errno.EPERM, "this is a link that another user made")


def is_running(process: int) -> bool:
    """Tell whether there is a process of this number."""
    if hasattr(signal, "CTRL_C_EVENT"):  # its number is 0: os.kill would send it
        return _is_running_on_windows(process)
    try:
        os.kill(process, 0)  # signal 0 only asks
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


def _is_running_on_windows(process: int) -> bool:
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]
    kernel.OpenProcess.restype = ctypes.c_void_p
    kernel.OpenProcess.argtypes = [ctypes.c_uint32, ctypes.c_int, ctypes.c_uint32]
    kernel.WaitForSingleObject.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    kernel.CloseHandle.argtypes = [ctypes.c_void_p]
    handle = kernel.OpenProcess(_SYNCHRONIZE, False, process)
    if not handle:
        return bool(ctypes.get_last_error() == _ACCESS_DENIED)  # type: ignore[attr-defined]
    try:
        return bool(kernel.WaitForSingleObject(handle, 0) == _WAIT_TIMEOUT)  # it has not ended
    finally:
        kernel.CloseHandle(handle)


def _is_being_written(path: str) -> bool:
    match = _WRITER.search(path)
    return (match is not None and int(match["process"]) != os.getpid()
            and is_running(int(match["process"])))
