"""Temporary names of files that are being written, which tell what a killed process left."""
from __future__ import annotations

import glob
import os
import re
from contextlib import suppress

_WRITER = re.compile(r"\.(?P<process>\d+)\.partial$")


def temporary(path: str) -> str:
    """Return the name under which this process writes the file ``path``."""
    return f"{path}.{os.getpid()}.partial"


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


def _is_being_written(path: str) -> bool:
    match = _WRITER.search(path)
    if not match or int(match["process"]) == os.getpid():
        return False
    try:
        os.kill(int(match["process"]), 0)  # signal 0 only asks whether the process is there
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True
