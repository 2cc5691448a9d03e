"""Reads databases that its parent names, in little memory and time, until its input ends.

Answers each folder's name with ``read``, or with the error's message.
"""
from __future__ import annotations

import resource
import signal
import sys
from functools import partial

from caffe_lrcn.errors import DataError
from caffe_lrcn.sources.base import Random
from caffe_lrcn.sources.batcher import BatchSpec
from caffe_lrcn.sources.orders import Rounds
from caffe_lrcn.sources.records.database import LMDB, DatabaseRecords

MOST_SECONDS = 20
MORE_BYTES = 256 << 20


def read(path: str) -> str:
    """Read some batches and return what came of it."""
    spec = BatchSpec(partial(DatabaseRecords, path, LMDB, True, None), Rounds(), 4,
                     Random(1, 0, "d"))
    try:
        source = spec.open()
        try:
            source.shapes()
            cursor = spec.start_cursor()
            for _ in range(12):
                cursor = source.batch(cursor).next_cursor
        finally:
            source.close()
    except DataError as error:
        return ascii(str(error))
    return "read"


def main() -> None:
    """Serve the parent."""
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MORE_BYTES,) * 2)
    for line in sys.stdin:
        signal.alarm(MOST_SECONDS)
        print(read(line.rstrip("\n")), flush=True)


if __name__ == "__main__":
    main()
