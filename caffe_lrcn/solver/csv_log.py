"""A table of what training displays, beside the snapshots: one row per display and per test.

There is no clock in it: a run that is stopped and resumed writes the same bytes as one that is
not. Each row is handed to the operating system at once, so that killing the process loses none.
"""
from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from .. import glog
from ..errors import SnapshotError
from ..files import writing
from .report import Output, element_names, named_values

# The mean of the last average_loss iterations, or of a test; most nets have an output "loss" too.
_FIXED = ("iteration", "net", "lr", "mean_loss")
#: Outputs with more elements than this (labels, predictions) are left out of the table.
MOST_ELEMENTS = 32


@dataclass(frozen=True)
class Mark:
    """A length of the file and the CRC-32 of the bytes before it."""

    size: int = 0
    crc: int = 0


class CsvLog:
    """Rows ``iteration, net, lr, mean_loss, outputs…``; ``net`` is ``train`` or ``test K``.

    Args:
        path: the file; it is made when the first row is written, and one that a former run left
            there is kept as ``<path>.old``.
        outputs: names and numbers of elements of the outputs of all nets, for the header.
    """

    def __init__(self, path: str, outputs: Iterable[tuple[str, int]]) -> None:
        self.path = path
        self._columns = list(dict.fromkeys(
            name for blob, count in outputs if count <= MOST_ELEMENTS
            for name in element_names(blob, count)))
        self._header = ",".join([*_FIXED, *map(_quoted, self._columns)]).encode() + b"\n"
        self._file: BinaryIO | None = None
        self._mark = Mark()

    def write(self, iteration: int, net: str, rate: float, loss: float,
              outputs: list[Output]) -> None:
        """Append one row; numbers have the digits that a float32 needs to read back exactly."""
        if self._file is None:
            self._start()
        values = {name: _shown(value) for name, value in named_values(outputs).items()}
        cells = [str(iteration), net, _shown(rate), _shown(loss)]
        cells += [values.get(name, "") for name in self._columns]
        self._append(",".join(cells).encode() + b"\n")

    @property
    def position(self) -> Mark:
        """Where the table ends now."""
        return self._mark

    def sync(self) -> None:
        """Wait until all rows are on the disk."""
        if self._file is not None:
            os.fsync(self._file.fileno())

    def cut(self, mark: Mark) -> None:
        """Drop the rows after ``mark``; go on behind them.

        A table that is not the one the mark was taken of is left alone, with a warning; then, or
        if there is none, the next row starts a new one.
        """
        self.close()
        if mark.size == 0:
            return
        try:
            with open(self.path, "rb") as file:
                kept = file.read(mark.size)
        except FileNotFoundError:
            return  # another snapshot_prefix, say
        if (Mark(len(kept), zlib.crc32(kept)) != mark
                or not kept.startswith(self._header)):
            glog.warning(f"{self.path} is not the log of the run that is resumed: starting anew")
            return
        self._file = open(self.path, "r+b", buffering=0)
        self._file.truncate(mark.size)
        self._file.seek(mark.size)
        self._mark = mark

    def close(self) -> None:
        """Close the file; a further row would start a new table."""
        if self._file is not None:
            self._file.close()
        self._file, self._mark = None, Mark()

    def _start(self) -> None:
        with writing(self.path, SnapshotError, "the log",
                     "Set snapshot_prefix to a folder that is writable."):
            if os.path.lexists(self.path):
                os.replace(self.path, self.path + ".old")
            self._file = open(self.path, "xb", buffering=0)
        self._append(self._header)

    def _append(self, line: bytes) -> None:
        assert self._file is not None
        with writing(self.path, SnapshotError, "the log",
                     "Make room on the disk and resume from the last snapshot."):
            if self._file.write(line) != len(line):
                raise OSError(0, "only part of a row could be written")
        self._mark = Mark(self._mark.size + len(line), zlib.crc32(line, self._mark.crc))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if set(name) & set(',"\n') else name


def _shown(value: float) -> str:
    return str(np.float32(value))
