"""A source that counts, and that misbehaves at chosen records."""
from __future__ import annotations

import os
import time
from dataclasses import dataclass, field

import numpy as np

from caffe_lrcn.errors import DataError


@dataclass(frozen=True)
class ScriptedSpec:
    """Batches ``[record, record + 1]`` and ``[[record]]``, except where ``script`` says else.

    ``script`` maps records to: "data error", "bug", "unpicklable", "exit", "hang", "print",
    "large" (ten times the usual size).
    """

    script: dict[int, str] = field(default_factory=dict)
    dtype: str = "float32"

    def open(self):
        return ScriptedSource(self)

    def start_cursor(self):
        return {"record": 0}

    def next_cursor(self, cursor):
        return {"record": cursor["record"] + 1}


class ScriptedSource:
    """See ScriptedSpec."""

    def __init__(self, spec):
        self.spec = spec

    def shapes(self):
        return [(2,), (1, 1)]

    def batch(self, cursor, allocate=None):
        from caffe_lrcn.sources.base import Batch

        record = cursor["record"]
        act = self.spec.script.get(record)
        if act == "data error":
            raise DataError("no such picture", where="list.txt:3", remedy="Look for it.")
        if act == "bug":
            raise ZeroDivisionError("a bug")
        if act == "unpicklable":
            raise DataError("odd", got=lambda: None)
        if act == "exit":
            os._exit(3)
        if act == "hang":
            time.sleep(600)
        if act == "print":
            os.write(1, b"noise on standard output")
        allocate = allocate or np.empty
        first = allocate((1000,) if act == "large" else (2,))
        first[:] = [record, record + 1] if act != "large" else record
        second = allocate((1, 1))
        second[:] = record
        return Batch([first, second], self.spec.next_cursor(cursor))

    def close(self):
        pass
