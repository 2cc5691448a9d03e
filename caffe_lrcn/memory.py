"""How much memory is free, asked before much of it is taken.

A system hands out more memory than it has, and ends the process that then uses it. So what is
large is compared first, and the error can say who wanted how much.
"""
from __future__ import annotations

import os
from contextlib import suppress

from .errors import CaffeError

#: Smaller allocations are not looked at, so that the question costs nothing.
LARGE = 64 << 20


def check_room(size: int, kind: type[CaffeError], what: str, *, where: object = None,
               remedy: str | None = None) -> None:
    """See that there is room for ``size`` bytes on the host.

    Args:
        size: bytes wanted.
        kind, where, remedy: of the error.
        what: who wants them, such as ``the mean``.

    Raises:
        CaffeError: of the class ``kind``: there is not.
    """
    if size < LARGE:
        return
    free = free_memory()
    if free is not None and size > free:
        raise kind(f"{what} does not fit in the memory", where=where, got=amount(size),
                   wanted=f"at most {amount(free)}, which are free", remedy=remedy)


def amount(size: int) -> str:
    """Return a number of bytes for people: ``3.7 GB``."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


def free_memory() -> int | None:
    """Return how many bytes this process can still take, swap included; None if that is unknown.

    Looked at are the machine, the process's control group (which containers have), and its own
    limit of address space (``ulimit -v``).
    """
    return min((size for size in (_of_machine(), _of_group(), _of_process()) if size is not None),
               default=None)


def _of_machine() -> int | None:
    with suppress(OSError, ValueError, KeyError), open("/proc/meminfo", encoding="ascii") as file:
        lines = dict(line.split(":", 1) for line in file)
        return 1024 * sum(int(lines[name].split()[0]) for name in ("MemAvailable", "SwapFree"))
    return None


def _of_group() -> int | None:
    """Return what is left of the limit of a control group, version 2."""
    with suppress(OSError, ValueError, StopIteration):
        with open("/proc/self/cgroup", encoding="utf-8") as file:
            path = next(line[3:].strip() for line in file if line.startswith("0::"))
        folder = f"/sys/fs/cgroup{path.rstrip('/')}"
        limit, used = (int(_line(f"{folder}/memory.{name}")) for name in ("max", "current"))
        with open(f"{folder}/memory.stat", encoding="ascii") as file:
            cached = sum(int(line.split()[1]) for line in file
                         if line.startswith(("inactive_file ", "active_file ")))
        return max(0, limit - used + cached)
    return None


def _of_process() -> int | None:
    with suppress(ImportError, OSError, ValueError):
        import resource  # there is none on Windows
        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            used = int(_line("/proc/self/statm").split()[0]) * os.sysconf("SC_PAGE_SIZE")
            return max(0, limit - used)
    return None


def _line(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.readline().strip()
