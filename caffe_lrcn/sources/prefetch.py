"""Batches prepared ahead, by a thread or by worker processes.

Since a batch is a function of its cursor, the main process alone decides which batch comes next;
whoever prepares it holds no state that matters. Batches come in order, and so do errors: one that
was met while reading ahead is raised when its batch is due.
"""
from __future__ import annotations

import atexit
import threading
import weakref
from collections import deque
from queue import SimpleQueue
from typing import Protocol

import numpy as np

from .. import glog
from .base import Batch, Cursor, Shape
from .batcher import BatchSpec
from .processes import ProcessProducer, WorkersUnavailable

#: Arrays of other shapes than the present one that are kept for later.
_MOST_IDLE = 16


class Producer(Protocol):
    """Prepares consecutive batches."""

    def next(self) -> Batch:
        """Return the next batch; its arrays are valid until the next call."""

    def close(self) -> None:
        """Stop preparing; nothing stays behind."""


class Prefetcher:
    """Consecutive batches from a cursor on.

    Nothing starts before the first ``next``, so a net that is only built costs nothing.

    Args:
        spec: what to read.
        cursor: where to begin.
        shapes: expected shapes of a batch's arrays, to size shared memory by.
        depth: batches prepared ahead; 0: each is read when it is asked for.
        workers: processes that prepare; 0 for a thread.
    """

    def __init__(self, spec: BatchSpec, cursor: Cursor, *, shapes: list[Shape], depth: int,
                 workers: int) -> None:
        self.cursor = dict(cursor)
        self._spec, self._shapes = spec, shapes
        self._depth, self._workers = depth, workers
        self._producer: Producer | None = None

    def next(self) -> Batch:
        """Return the batch at ``cursor`` and move the cursor on.

        The arrays are valid until the next call. After an error the cursor stays.

        Raises:
            DataError: a file is missing or damaged, or a worker died.
        """
        if self._producer is None:
            self._producer = self._start()
        try:
            batch = self._producer.next()
        except BaseException:  # an interrupt in mid-transfer, too, leaves the producer unusable
            self.close()
            raise
        self.cursor = dict(batch.next_cursor)
        return batch

    def close(self) -> None:
        """Stop preparing; ``next`` would start again at the cursor."""
        producer, self._producer = self._producer, None
        if producer:
            producer.close()

    def _start(self) -> Producer:
        if self._depth == 0:
            return DirectProducer(self._spec, self.cursor)
        if self._workers > 0:
            try:
                return ProcessProducer(self._spec, self.cursor, self._shapes, self._depth,
                                       self._workers)
            except WorkersUnavailable as reason:
                glog.warning("data is prepared by a thread, not by processes: %s", reason)
        return ThreadProducer(self._spec, self.cursor, self._depth)


class DirectProducer:
    """Reads each batch when it is asked for: small ones take less time than handing them over."""

    def __init__(self, spec: BatchSpec, cursor: Cursor) -> None:
        self._source, self._cursor, self._pool = spec.open(), cursor, _Pool(spec.dtype)
        self._lent: list[np.ndarray] = []

    def next(self) -> Batch:
        """Read the next batch."""
        self._pool.take_back(self._lent)
        self._lent = []
        batch = self._source.batch(self._cursor, self._pool.allocate)
        self._lent, self._cursor = batch.arrays, batch.next_cursor
        return batch

    def close(self) -> None:
        """Close the files."""
        self._source.close()


class ThreadProducer:
    """One thread that prepares ``depth`` batches ahead."""

    def __init__(self, spec: BatchSpec, cursor: Cursor, depth: int) -> None:
        self._exchange, self._pool = _Exchange(depth), _Pool(spec.dtype)
        self._lent: list[np.ndarray] = []
        # The thread does not know this object, which can so be collected.
        self._thread = threading.Thread(target=_produce,
                                        args=(spec, dict(cursor), self._exchange, self._pool),
                                        name="caffe_lrcn data", daemon=True)
        # Garbage is collected in whatever thread happens to run, perhaps in a data thread that
        # has a lock (HDF5's) for which this thread waits: so only a signal, and no join.
        weakref.finalize(self, self._exchange.stop).atexit = False
        _running[self._thread] = self._exchange
        self._thread.start()

    def next(self) -> Batch:
        """Return the next batch, waiting for it if need be."""
        self._pool.take_back(self._lent)
        item = self._exchange.get()
        if isinstance(item, BaseException):
            raise item
        self._lent = item.arrays
        return item

    def close(self) -> None:
        """Stop the thread and wait for it."""
        self._exchange.stop()
        self._thread.join()


class _Pool:
    """Arrays that are used again, so that a steady step allocates nothing."""

    def __init__(self, dtype: str) -> None:
        self._dtype = dtype
        self._idle: deque[np.ndarray] = deque()  # its ends are safe to use from two threads

    def allocate(self, shape: Shape) -> np.ndarray:
        """Return an idle array of ``shape``, or a new one."""
        for _ in range(len(self._idle)):
            array = self._idle.popleft()
            if array.shape == shape:
                return array
            if len(self._idle) < _MOST_IDLE:
                self._idle.append(array)
        return np.empty(shape, self._dtype)

    def take_back(self, arrays: list[np.ndarray]) -> None:
        """Make arrays idle."""
        self._idle.extend(arrays)


class _Exchange:
    """Hands batches over, ``depth`` of them and one in the making at most.

    No locks of Python code are held: ``stop`` may run in a finaliser, between any two steps.
    """

    def __init__(self, depth: int) -> None:
        self._items: SimpleQueue[Batch | BaseException] = SimpleQueue()
        self._permits: SimpleQueue[None] = SimpleQueue()
        self._stopped = False
        for _ in range(depth + 1):
            self._permits.put(None)

    def may_produce(self) -> bool:
        """Wait until another batch has room; False if the exchange was stopped."""
        self._permits.get()
        return not self._stopped

    def put(self, item: Batch | BaseException) -> None:
        """Hand over an item."""
        self._items.put(item)

    def get(self) -> Batch | BaseException:
        """Take the first item, waiting for it."""
        item = self._items.get()
        self._permits.put(None)
        return item

    def stop(self) -> None:
        """Let ``may_produce`` return False from now on."""
        self._stopped = True
        self._permits.put(None)


#: The exchanges of the threads that run.
_running: dict[threading.Thread, _Exchange] = {}


def _produce(spec: BatchSpec, cursor: Cursor, exchange: _Exchange, pool: _Pool) -> None:
    source = None
    try:
        source = spec.open()
        while exchange.may_produce():
            batch = source.batch(cursor, pool.allocate)
            cursor = batch.next_cursor
            exchange.put(batch)
    except BaseException as error:  # raised again by the consumer
        exchange.put(error)
    finally:
        if source:
            source.close()
        del _running[threading.current_thread()]


@atexit.register
def _stop_all() -> None:
    """End all threads before modules that they use are torn down."""
    running = list(_running.items())
    for _, exchange in running:
        exchange.stop()
    for thread, _ in running:
        if thread.is_alive():  # not if it could not be started
            thread.join()
