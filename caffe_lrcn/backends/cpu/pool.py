"""Pooling on the CPU, one strided view per offset within the window.

Going over the ``k * k`` offsets instead of the windows makes every step one NumPy operation on
many planes; blocks of planes small enough for the cache make it fast.
Shapes: ``x`` (N, C, H, W), ``y`` (N, C, PH, PW). Source: Caffe's pooling_layer.
"""
from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..specs import PoolSpec
from .blocks import BLOCK

FLT_MAX = float(np.finfo(np.float32).max)


def plan(spec: PoolSpec, x_shape: tuple[int, int, int, int], backend: Any) -> MaxPool | AvePool:
    """Return the object that runs one pooling for bottoms of one shape.

    Its methods are ``forward(x, y)`` and ``backward(dy, dx)``; for ``MAX``, ``mask`` is the int32
    index ``h * W + w`` of each maximum of the last forward run, -1 where a window has none.
    """
    return (MaxPool if spec.method == "MAX" else AvePool)(spec, x_shape, backend)


class _Offsets:
    """The pairs of views that line an offset of the window up over all windows.

    ``views`` holds (where the bottom is read, which windows have that cell, row, column), in
    row-major order of the offsets; ``step`` is the number of planes in a block.
    """

    def __init__(self, spec: PoolSpec, x_shape: tuple[int, int, int, int]) -> None:
        self.in_size = x_shape[2:]
        self.out_size = spec.output_size(self.in_size)
        rows, columns = (self._axis(spec, axis) for axis in (0, 1))
        planes = math.prod(x_shape[:2])
        self.step = max(1, min(planes, BLOCK // max(1, math.prod(self.in_size))))
        self.views = [((..., row_in, column_in), (..., row_out, column_out), i, j)
                      for i, row_in, row_out in rows for j, column_in, column_out in columns]

    def scratch(self, backend: Any, dtype: Any) -> np.ndarray:
        """Return an array for one block of the top."""
        shape = (self.step, *self.out_size)
        return backend.zeros(math.prod(shape), dtype).reshape(shape)

    def blocks(self, *arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
        """Yield matching blocks of planes of arrays (N, C, height, width)."""
        planes = [array.reshape(math.prod(array.shape[:2]), *array.shape[2:]) for array in arrays]
        for start in range(0, len(planes[0]), self.step):
            yield tuple(plane[start:start + self.step] for plane in planes)

    def _axis(self, spec: PoolSpec, axis: int) -> list[tuple[int, slice, slice]]:
        """Return (offset, slice of the bottom, slice of the top) where the two meet."""
        size, out = self.in_size[axis], self.out_size[axis]
        kernel, stride, pad = spec.kernel[axis], spec.stride[axis], spec.pad[axis]
        found = []
        for offset in range(kernel):
            # Window o covers pixel o * stride - pad + offset; keep 0 <= pixel < size.
            first = max(0, -(-(pad - offset) // stride))
            last = min(out - 1, (size - 1 + pad - offset) // stride)
            if first <= last:
                start = first * stride - pad + offset
                found.append((offset, slice(start, start + (last - first) * stride + 1, stride),
                              slice(first, last + 1)))
        return found


class MaxPool:
    """Maximum of each window.

    ``pick`` says which offset of its window won, counted in row-major order: in one byte, which
    compares fast. ``origin + shift[pick]`` is the flat index of that cell within a block.
    """

    def __init__(self, spec: PoolSpec, x_shape: tuple[int, int, int, int], backend: Any) -> None:
        self._offsets = offsets = _Offsets(spec, x_shape)
        height, width = offsets.in_size
        self._nothing = len(offsets.views)  # the pick of a window without a maximum
        pick_type = np.dtype(np.uint8 if self._nothing < 255 else np.uint32)
        out = (*x_shape[:2], *offsets.out_size)
        self._pick = backend.zeros(math.prod(out), pick_type).reshape(out)
        self._other = offsets.scratch(backend, bool)
        self._searching = offsets.scratch(backend, bool)
        self._shift = np.array([i * width + j for _, _, i, j in offsets.views] + [0], np.intp)
        corners = [np.arange(n) * s - p for n, s, p
                   in zip(offsets.out_size, spec.stride, spec.pad, strict=True)]
        self._corner = corners[0][:, None] * width + corners[1]
        self._origin = np.arange(offsets.step)[:, None, None] * (height * width) + self._corner
        self._scratch = backend.scratch

    def forward(self, x: np.ndarray, y: np.ndarray) -> None:
        """Write each window's maximum to ``y`` and remember where it was.

        CAFFE-QUIRK: the maximum starts at -FLT_MAX and only greater values replace it, so a window
        that is empty, or holds only NaN or -inf, gives -FLT_MAX and mask -1.
        """
        for bottom, top, pick in self._offsets.blocks(x, y, self._pick):
            top.fill(-FLT_MAX)
            for read, write, _, _ in self._offsets.views:
                np.fmax(top[write], bottom[read], out=top[write])  # fmax skips NaN
            self._find(bottom, top, pick)

    def _find(self, bottom: np.ndarray, top: np.ndarray, pick: np.ndarray) -> None:
        """Set ``pick`` to the first offset that holds the maximum."""
        # Each offset adds one to the windows that have not met their maximum by then.
        pick.fill(0)
        other, searching = self._other[:len(top)], self._searching[:len(top)]
        searching.fill(True)
        for read, write, _, _ in self._offsets.views:
            np.not_equal(bottom[read], top[write], out=other[write])
            np.logical_and(searching[write], other[write], out=searching[write])
            pick += searching.view(np.uint8)
        if top.min() == -FLT_MAX:
            empty = np.equal(top, -FLT_MAX, out=other)
            np.copyto(pick, self._nothing, where=empty)

    @property
    def mask(self) -> np.ndarray:
        """Index ``h * W + w`` of each maximum, int32 (N, C, PH, PW); -1 where there is none.

        It lies in the backend's scratch.
        """
        shape = self._pick.shape
        index, cell = (self._scratch.take(shape, np.intp) for _ in range(2))
        mask = self._scratch.take(shape, np.int32)
        index[...] = self._pick
        np.take(self._shift, index, out=cell, mode="clip")  # any other mode copies
        np.add(cell, self._corner, out=cell)
        mask[...] = cell
        empty = np.equal(self._pick, self._nothing, out=self._scratch.take(shape, bool))
        np.copyto(mask, -1, where=empty)
        return mask

    def backward(self, dy: np.ndarray, dx: np.ndarray) -> None:
        """Overwrite ``dx``: each window's gradient goes to its maximum, if it has one."""
        picks, targets = (self._scratch.take(self._origin.shape, np.intp) for _ in range(2))
        kept = self._scratch.take(self._origin.shape)
        for top, bottom, pick in self._offsets.blocks(dy, dx, self._pick):
            index, target = picks[:len(top)], targets[:len(top)]
            index[...] = pick
            np.take(self._shift, index, out=target, mode="clip")  # any other mode copies
            target += self._origin[:len(top)]
            bottom.fill(0)
            if pick.max() == self._nothing:
                # Windows without a maximum add nothing to an arbitrary cell.
                empty = np.equal(pick, self._nothing, out=self._other[:len(top)])
                np.copyto(target, 0, where=empty)
                kept[:len(top)] = top
                np.copyto(kept[:len(top)], 0, where=empty)
                top = kept[:len(top)]
            np.add.at(bottom.reshape(-1), target.reshape(-1), top.reshape(-1))


class AvePool:
    """Mean of each window."""

    mask = None

    def __init__(self, spec: PoolSpec, x_shape: tuple[int, int, int, int], backend: Any) -> None:
        self._offsets = _Offsets(spec, x_shape)
        rows, columns = (self._lengths(spec, axis) for axis in (0, 1))
        self._area = np.multiply.outer(rows, columns).astype(backend.dtype)
        self._share = self._offsets.scratch(backend, backend.dtype)

    def _lengths(self, spec: PoolSpec, axis: int) -> np.ndarray:
        # CAFFE-QUIRK: padded cells count, those beyond the padded image (CEIL rounding) do not.
        start = np.arange(self._offsets.out_size[axis]) * spec.stride[axis] - spec.pad[axis]
        end = self._offsets.in_size[axis] + spec.pad[axis]
        return np.minimum(start + spec.kernel[axis], end) - start

    def forward(self, x: np.ndarray, y: np.ndarray) -> None:
        """Write each window's mean to ``y``; cells of the padding count as zeros."""
        for bottom, top in self._offsets.blocks(x, y):
            top.fill(0)
            for read, write, _, _ in self._offsets.views:
                top[write] += bottom[read]
            # CAFFE-QUIRK: a window without cells (CEIL rounding, stride > kernel) gives 0/0.
            with np.errstate(divide="ignore", invalid="ignore"):
                np.divide(top, self._area, out=top)

    def backward(self, dy: np.ndarray, dx: np.ndarray) -> None:
        """Overwrite ``dx``: each window's gradient is shared out evenly."""
        for top, bottom in self._offsets.blocks(dy, dx):
            share = self._share[:len(top)]
            with np.errstate(divide="ignore", invalid="ignore"):
                np.divide(top, self._area, out=share)
            bottom.fill(0)
            for read, write, _, _ in self._offsets.views:
                bottom[read] += share[write]
