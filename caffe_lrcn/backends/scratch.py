"""Temporaries that live for one op: taken from memory that is kept, so that nothing is allocated.

Whoever runs ops (``Net`` for a layer's pass, the solver for an update) calls ``rewind`` before each
of them; what was taken before is then free to be taken again. ``frame`` does so within an op.
"""
from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

import numpy as np

#: Every array begins at a multiple of this many bytes.
_ALIGNMENT = 256


class _Stack(threading.local):
    """A thread's memory: one block, arrays that did not fit it, and the views handed out."""

    def __init__(self) -> None:
        self.block: Any = None
        self.used = self.most = 0
        self.overflow: list[Any] = []
        self.views: dict[tuple[int, tuple[int, ...], np.dtype], Any] = {}


class Scratch:
    """Uninitialised arrays of one backend. Each thread has memory of its own.

    Args:
        allocate: returns a flat array of so many bytes on the backend's device.
        dtype: the type of arrays for which none is given.
    """

    def __init__(self, allocate: Callable[[int], Any], dtype: np.dtype) -> None:
        self._allocate, self._dtype, self._stack = allocate, dtype, _Stack()

    def take(self, shape: tuple[int, ...] | int, dtype: Any = None) -> Any:
        """Return an array with any content that is the caller's until the next ``rewind``.

        Args:
            shape: of the array.
            dtype: its type; default: the backend's.
        """
        shape = (shape,) if isinstance(shape, int) else shape
        dtype = self._dtype if dtype is None else np.dtype(dtype)
        stack = self._stack
        start, size = stack.used, prod(shape) * dtype.itemsize
        stack.used += -(-size // _ALIGNMENT) * _ALIGNMENT
        stack.most = max(stack.most, stack.used)
        if stack.block is None or stack.used > stack.block.size:
            stack.overflow.append(self._allocate(size))
            return stack.overflow[-1].view(dtype).reshape(shape)
        view = stack.views.get((start, shape, dtype))
        if view is None:
            view = stack.block[start:start + size].view(dtype).reshape(shape)
            stack.views[start, shape, dtype] = view
        return view

    def frame(self) -> _Frame:
        """Return a context that takes back what is taken within, as in one turn of a loop."""
        return _Frame(self, self._stack)

    def rewind(self) -> None:
        """Take back all arrays of this thread. Make the block as large as was needed at once."""
        stack = self._stack
        stack.overflow.clear()
        if stack.most > (0 if stack.block is None else stack.block.size):
            stack.views.clear()
            stack.block = None  # given back before the larger one is asked for
            stack.block = self._allocate(stack.most)
        stack.used = 0


class _Frame:
    """A context at whose end the memory is used as at its beginning."""

    __slots__ = ("_scratch", "_stack", "_used", "_overflow")

    def __init__(self, scratch: Scratch, stack: _Stack) -> None:
        self._scratch, self._stack = scratch, stack

    def __enter__(self) -> None:
        self._used, self._overflow = self._stack.used, len(self._stack.overflow)

    def __exit__(self, *_: object) -> None:
        if self._used:
            self._stack.used = self._used
            del self._stack.overflow[self._overflow:]
        else:
            self._scratch.rewind()


@contextmanager
def small_buffers() -> Iterator[None]:
    """Let NumPy's iterators work in pieces of 4 KiB of float32 instead of 32.

    They copy operands that are spread over axes, cast or cut out of rows piece by piece into
    memory of their own. Small pieces stay in the first cache: the steps of an LSTM (100 x 1000)
    take two thirds of the time.
    """
    with np.errstate():
        np.setbufsize(1024)
        yield
