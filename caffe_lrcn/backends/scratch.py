"""Temporaries that live for one op: taken from memory that is kept, so that nothing is allocated.

Whoever runs ops (``Net`` for a layer's pass, the solver for an update) calls ``rewind`` before each
of them; what was taken before is then free to be taken again. ``frame`` does so within an op.
"""
from __future__ import annotations

import threading
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

#: Every array begins at a multiple of this many bytes.
_ALIGNMENT = 256
#: Views that are kept; a net whose shapes change all the time would gather them without end.
_MOST_VIEWS = 4096


class _Stack:
    """A thread's memory: one block, arrays that did not fit it, and the views handed out.

    A view is found by where it begins, and by shape and dtype as they were asked for; beside it is
    the end of what it takes.
    """

    __slots__ = ("block", "size", "used", "most", "overflow", "views")

    def __init__(self) -> None:
        self.block: Any = None
        self.size = self.used = self.most = 0
        self.overflow: list[Any] = []
        self.views: dict[tuple[int, Any, Any], tuple[Any, int]] = {}


class _Threads(threading.local):
    """The stack of the running thread."""

    def __init__(self) -> None:
        self.stack = _Stack()


class Scratch:
    """Uninitialised arrays of one backend. Each thread has memory of its own.

    Args:
        allocate: returns a flat array of so many bytes on the backend's device.
        dtype: the type of arrays for which none is given.
    """

    def __init__(self, allocate: Callable[[int], Any], dtype: np.dtype) -> None:
        self._allocate, self._dtype, self._threads = allocate, dtype, _Threads()

    def take(self, shape: tuple[int, ...] | int, dtype: Any = None) -> Any:
        """Return an array with any content that is the caller's until the next ``rewind``.

        Args:
            shape: of the array.
            dtype: its type; default: the backend's.
        """
        stack = self._threads.stack
        start = stack.used
        known = stack.views.get((start, shape, dtype))
        if known:
            stack.used = known[1]
            return known[0]
        shape_ = (shape,) if isinstance(shape, int) else shape
        dtype_ = self._dtype if dtype is None else np.dtype(dtype)
        size = prod(shape_) * dtype_.itemsize
        stack.used = end = start + -(-size // _ALIGNMENT) * _ALIGNMENT
        stack.most = max(stack.most, end)
        if end > stack.size or stack.block is None:
            stack.overflow.append(self._allocate(size))
            return stack.overflow[-1].view(dtype_).reshape(shape_)
        if len(stack.views) >= _MOST_VIEWS:
            stack.views.clear()
        view = stack.block[start:start + size].view(dtype_).reshape(shape_)
        stack.views[start, shape, dtype] = view, end
        return view

    def frame(self) -> _Frame:
        """Return a context that takes back what is taken within, as in one turn of a loop."""
        return _Frame(self, self._threads.stack)

    def rewind(self) -> None:
        """Take back all arrays of this thread. Make the block as large as was needed at once."""
        stack = self._threads.stack
        stack.used = 0
        stack.overflow.clear()
        if stack.most > stack.size:
            stack.views.clear()
            stack.block = None  # given back before the larger one is asked for
            stack.block, stack.size = self._allocate(stack.most), stack.most


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


class SmallBuffers:
    """A context that lets NumPy's iterators work in pieces of 4 KiB of float32 instead of 32.

    They copy operands that are spread over axes, cast or cut out of rows piece by piece into
    memory of their own. Small pieces stay in the first cache: the steps of an LSTM (100 x 1000)
    take two thirds of the time.
    """

    def __enter__(self) -> None:
        self._before = np.setbufsize(1024)

    def __exit__(self, *_: object) -> None:
        np.setbufsize(self._before)
