"""Worker processes that prepare batches, and the shared memory they write them to.

Each worker is a fresh interpreter (never a fork, never a second run of the user's script) with
two pipes and one anonymous block of shared memory. The main process numbers the batches and deals
them out in turn, so it knows from which worker the next one comes and needs no threads. A worker
leaves when its pipe closes, however the main process ended; anonymous memory leaves with the
last of them.
"""
from __future__ import annotations

import atexit
import mmap
import os
import pickle
import signal
import subprocess
import sys
import weakref
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import CaffeError, DataError
from .base import Batch, Cursor, Shape
from .batcher import BatchSpec

_ALIGNMENT = 64
#: The folder (or archive) that this package lies in.
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
#: What a worker's interpreter runs; its arguments are _ROOT and the main process's ``sys.path``.
#: Python puts the working folder first, for which the program takes it away before anything is
#: imported: a ``random.py`` that lies there must not take the place of Python's own. Folders that
#: the main process alone imports from come after the standard library and installed packages.
#: protobuf comes before them: ``google`` is a namespace, to which Python prefers a ``google.py`` at
#: any later place. This package is found by its own place, since other files may lie beside it.
_PROGRAM = """
import sys
sys.path[:] = own = [folder for folder in sys.path if folder]
from contextlib import suppress
from importlib import machinery, util
with suppress(ImportError):
    import google.protobuf
root, *known = sys.argv[1:]
sys.path[:] = own + [folder for folder in known if folder not in own]
spec = machinery.PathFinder.find_spec("caffe_lrcn", [root])
sys.modules[spec.name] = package = util.module_from_spec(spec)
spec.loader.exec_module(package)
from caffe_lrcn.sources.worker import main
main()
"""


class WorkersUnavailable(Exception):
    """Worker processes cannot be used on this machine; the message says why."""


@dataclass(frozen=True)
class Task:
    """Prepare the batch at a cursor and write it to a slot of the shared memory."""

    cursor: Cursor
    slot: int


@dataclass(frozen=True)
class Placed:
    """An array in shared memory."""

    offset: int
    shape: Shape


@dataclass(frozen=True)
class Answer:
    """A finished task: arrays in shared memory, or themselves where they did not fit."""

    arrays: list[Placed | np.ndarray]
    next_cursor: Cursor


@dataclass(frozen=True)
class Failure:
    """A failed task: the error if it can be pickled, and its traceback as text."""

    error: CaffeError | None
    traceback: str


@dataclass(frozen=True)
class Setup:
    """The first message to a worker."""

    spec: BatchSpec
    memory_fd: int
    slots: int
    slot_bytes: int


def slot_bytes(shapes: list[Shape], dtype: str) -> int:
    """Return the room that arrays of these shapes take in a slot, in bytes."""
    return sum(aligned(int(np.prod(shape)) * np.dtype(dtype).itemsize) for shape in shapes)


def aligned(size: int) -> int:
    """Round up to the alignment of arrays in shared memory."""
    return -(-size // _ALIGNMENT) * _ALIGNMENT


class ProcessProducer:
    """Worker processes that prepare ``depth`` batches ahead.

    Raises:
        WorkersUnavailable: no worker can be started, or there is too little shared memory.
    """

    def __init__(self, spec: BatchSpec, cursor: Cursor, shapes: list[Shape], depth: int,
                 workers: int) -> None:
        self._spec, self._turn = spec, 0
        self._cursor = dict(cursor)
        _reap(wait=False)
        slots = max(2, -(-depth // workers))  # a worker goes on while a batch of it waits
        self._workers: list[_Worker] = []
        weakref.finalize(self, _kill_all, self._workers)
        try:
            for _ in range(workers):
                self._workers.append(_Worker(spec, slots, slot_bytes(shapes, spec.dtype)))
        except OSError as error:
            self.close()
            raise WorkersUnavailable(str(error)) from error
        try:
            for worker in self._workers:  # all are starting up by now
                worker.setup()
        except BaseException:
            self.close()
            raise
        self._free = [(worker, slot) for slot in range(slots) for worker in self._workers]

    def next(self) -> Batch:
        """Return the next batch; its arrays lie in shared memory until the next call."""
        for worker, slot in self._free:
            worker.send(Task(self._cursor, slot))
            self._cursor = self._spec.next_cursor(self._cursor)
        worker = self._workers[self._turn]
        self._turn = (self._turn + 1) % len(self._workers)
        slot, batch = worker.receive()
        self._free = [(worker, slot)]
        return batch

    def close(self) -> None:
        """End the workers and wait until they are gone."""
        _kill_all(self._workers)
        _reap(wait=True)

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [worker.process.pid for worker in self._workers]


class _Worker:
    """One worker process, as the main process sees it."""

    def __init__(self, spec: BatchSpec, slots: int, size: int) -> None:
        if not sys.executable or not hasattr(os, "memfd_create"):
            raise WorkersUnavailable("this platform has no anonymous shared memory")
        self._dtype = np.dtype(spec.dtype)
        self._pending: list[int] = []
        fd = os.memfd_create("caffe_lrcn")
        try:
            # Claim the memory now: an error here is better than a crash in mid-batch.
            os.posix_fallocate(fd, 0, max(1, slots * size))
            self._memory = mmap.mmap(fd, max(1, slots * size))
            self.process = _start_process(fd)
        finally:
            os.close(fd)
        self._setup = Setup(spec, fd, slots, size)

    def setup(self) -> None:
        """Tell the process what to read."""
        self._send(self._setup)

    def send(self, task: Task) -> None:
        """Hand over a task."""
        self._pending.append(task.slot)
        self._send(task)

    def receive(self) -> tuple[int, Batch]:
        """Wait for the oldest task; return its slot and batch."""
        assert self.process.stdout is not None
        try:
            answer = pickle.load(self.process.stdout)
        except (EOFError, pickle.UnpicklingError, OSError):
            raise self._died() from None
        if isinstance(answer, Failure):
            raise answer.error or DataError(f"a data worker failed:\n{answer.traceback}")
        arrays = [item if isinstance(item, np.ndarray) else self._view(item)
                  for item in answer.arrays]
        return self._pending.pop(0), Batch(arrays, answer.next_cursor)

    def kill(self) -> None:
        """End the process; it holds nothing that would have to be saved."""
        self.process.kill()  # first, so that unsent tasks find no reader to wait for
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()

    def _send(self, message: Any) -> None:
        assert self.process.stdin is not None
        try:
            pickle.dump(message, self.process.stdin, pickle.HIGHEST_PROTOCOL)
            self.process.stdin.flush()
        except OSError:
            raise self._died() from None

    def _view(self, item: Placed) -> np.ndarray:
        return np.frombuffer(self._memory, self._dtype, int(np.prod(item.shape)),
                             item.offset).reshape(item.shape)

    def _died(self) -> DataError:
        code = self.process.wait()
        how = f"killed by signal {-code}" if code < 0 else f"exit status {code}"
        return DataError("a data worker process ended unexpectedly", got=how,
                         remedy="It may have run out of memory; use fewer workers.")


def _start_process(memory_fd: int) -> subprocess.Popen[bytes]:
    """Start a worker that is out of reach of the terminal's signals.

    Ctrl-C and hanging up are for the main process alone, which may want to save a snapshot. The
    worker inherits a mask that blocks SIGINT, so not even its start can be interrupted.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return subprocess.Popen(
            [sys.executable, *(["-I"] if sys.flags.isolated else []), "-c", _PROGRAM, _ROOT,
             *sys.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[memory_fd],
            env=_environment(), start_new_session=True)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


#: Processes that were killed and whose ends were not yet noted.
_killed: list[subprocess.Popen[bytes]] = []


def _kill_all(workers: list[_Worker]) -> None:
    """End workers without waiting: this may run in a finaliser, in any thread."""
    while workers:
        worker = workers.pop()
        worker.kill()
        _killed.append(worker.process)


@atexit.register
def _reap(wait: bool = True) -> None:
    """Note the ends of killed processes, so that nothing of them stays in the system's table."""
    for process in list(_killed):
        if wait:
            process.wait()
        if process.poll() is not None:
            _killed.remove(process)


def _environment() -> dict[str, str]:
    """Return the environment of a worker: no folders to import from, one thread per worker."""
    known = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**known, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
