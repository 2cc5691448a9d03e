"""A data worker, started by processes.py, which sees to it that nothing foreign is imported.

Reads pickled messages from standard input, first a Setup, then Tasks; answers each task on what
was standard output. Ends when its input closes, which it does when the main process is gone.
"""
from __future__ import annotations

import mmap
import os
import pickle
import signal
import sys
import traceback
from typing import BinaryIO, NoReturn

import numpy as np

from ..errors import CaffeError
from .base import Shape
from .batcher import Batcher
from .processes import Answer, Failure, Placed, Setup, Task, aligned


class _Slot:
    """Hands out arrays in a part of the shared memory as long as there is room."""

    def __init__(self, memory: mmap.mmap, offset: int, size: int, dtype: str) -> None:
        self._memory, self._next, self._end = memory, offset, offset + size
        self._dtype = np.dtype(dtype)
        self._lent: list[tuple[np.ndarray, Placed]] = []

    def allocate(self, shape: Shape) -> np.ndarray:
        """Return an array of ``shape``, in shared memory if it fits."""
        count = int(np.prod(shape))
        size = aligned(count * self._dtype.itemsize)
        if self._next + size > self._end:
            return np.empty(shape, self._dtype)
        array = np.frombuffer(self._memory, self._dtype, count, self._next).reshape(shape)
        self._lent.append((array, Placed(self._next, shape)))
        self._next += size
        return array

    def placed(self, array: np.ndarray) -> Placed | np.ndarray:
        """Return where an array lies in shared memory, or the array if it is not there."""
        return next((place for lent, place in self._lent if lent is array), array)


def main() -> NoReturn:
    """Serve tasks until the input closes, then exit."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get among the answers
    tasks = sys.stdin.buffer
    try:
        _serve(pickle.load(tasks), tasks, replies)
    except (EOFError, BrokenPipeError, pickle.UnpicklingError):
        pass
    # The main process is gone; writing out what it did not read would only fail again.
    os._exit(0)


def _serve(setup: Setup, tasks: BinaryIO, replies: BinaryIO) -> None:
    memory = mmap.mmap(setup.memory_fd, max(1, setup.slots * setup.slot_bytes))
    source = setup.spec.open()
    while True:
        task: Task = pickle.load(tasks)
        slot = _Slot(memory, task.slot * setup.slot_bytes, setup.slot_bytes, setup.spec.dtype)
        replies.write(_packed(_answer(source, task, slot)))
        replies.flush()


def _packed(answer: Answer | Failure) -> bytes:
    try:
        return pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
    except Exception:  # an error that holds something that cannot be pickled
        text = str(answer.error) if isinstance(answer, Failure) else traceback.format_exc()
        return pickle.dumps(Failure(None, text), pickle.HIGHEST_PROTOCOL)


def _answer(source: Batcher, task: Task, slot: _Slot) -> Answer | Failure:
    try:
        batch = source.batch(task.cursor, slot.allocate)
    except CaffeError as error:
        return Failure(error, "")
    except Exception:
        return Failure(None, traceback.format_exc())
    return Answer([slot.placed(array) for array in batch.arrays], batch.next_cursor)

