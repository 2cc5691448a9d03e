"""Pooling on the CPU, one strided view per offset within the window.

Going over the ``k * k`` offsets instead of the windows makes every step one NumPy operation on
whole planes. Offsets go in row-major order, so that a strict comparison keeps the first maximum.
Shapes: ``x`` (N, C, H, W), ``y`` (N, C, PH, PW). Source: Caffe's pooling_layer.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ..specs import PoolSpec

FLT_MAX = float(np.finfo(np.float32).max)


def plan(spec: PoolSpec, x_shape: tuple[int, int, int, int], backend: Any) -> MaxPool | AvePool:
    """Return the object that runs one pooling for bottoms of one shape.

    Its methods are ``forward(x, y)`` and ``backward(dy, dx)``; for ``MAX``, ``mask`` is the int32
    index ``h * W + w`` of each maximum of the last forward run, -1 where a window has none.
    """
    return (MaxPool if spec.method == "MAX" else AvePool)(spec, x_shape, backend)


class _Offsets:
    """The pairs of views that line an offset of the window up over all windows."""

    def __init__(self, spec: PoolSpec, x_shape: tuple[int, int, int, int]) -> None:
        self.in_size = x_shape[2:]
        self.out_size = spec.output_size(self.in_size)
        rows, columns = (self._axis(spec, axis) for axis in (0, 1))
        self.views = [((..., row_in, column_in), (..., row_out, column_out), i, j)
                      for i, row_in, row_out in rows for j, column_in, column_out in columns]

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
    """Maximum of each window."""

    def __init__(self, spec: PoolSpec, x_shape: tuple[int, int, int, int], backend: Any) -> None:
        self._offsets = _Offsets(spec, x_shape)
        height, width = self._offsets.in_size
        out = (*x_shape[:2], *self._offsets.out_size)
        count = int(np.prod(out))
        self._greater = backend.zeros(count, bool).reshape(out)
        self.mask = backend.zeros(count, np.int32).reshape(out)
        self._pixel = np.arange(height * width, dtype=np.int32).reshape(height, width)
        self._picked = backend.zeros(count).reshape(out)

    def forward(self, x: np.ndarray, y: np.ndarray) -> None:
        """Write each window's maximum to ``y`` and remember where it was.

        CAFFE-QUIRK: the maximum starts at -FLT_MAX with a strict comparison, so a window that is
        empty, or holds only NaN or -inf, gives -FLT_MAX and mask -1.
        """
        y.fill(-FLT_MAX)
        self.mask.fill(-1)
        for read, write, _, _ in self._offsets.views:
            greater = self._greater[write]
            np.greater(x[read], y[write], out=greater)
            np.copyto(y[write], x[read], where=greater)
            np.copyto(self.mask[write], self._pixel[read[1:]], where=greater)

    def backward(self, dy: np.ndarray, dx: np.ndarray) -> None:
        """Overwrite ``dx``: each window's gradient goes to its maximum, if it has one."""
        dx.fill(0)
        for read, write, _, _ in self._offsets.views:
            np.equal(self.mask[write], self._pixel[read[1:]], out=self._greater[write])
            np.multiply(dy[write], self._greater[write], out=self._picked[write])
            dx[read] += self._picked[write]


class AvePool:
    """Mean of each window."""

    mask = None

    def __init__(self, spec: PoolSpec, x_shape: tuple[int, int, int, int], backend: Any) -> None:
        self._offsets = _Offsets(spec, x_shape)
        rows, columns = (self._lengths(spec, axis) for axis in (0, 1))
        self._area = np.multiply.outer(rows, columns).astype(backend.dtype)
        out = (*x_shape[:2], *self._offsets.out_size)
        self._shared = backend.zeros(int(np.prod(out))).reshape(out)

    def _lengths(self, spec: PoolSpec, axis: int) -> np.ndarray:
        # CAFFE-QUIRK: padded cells count, those beyond the padded image (CEIL rounding) do not.
        start = np.arange(self._offsets.out_size[axis]) * spec.stride[axis] - spec.pad[axis]
        end = self._offsets.in_size[axis] + spec.pad[axis]
        return np.minimum(start + spec.kernel[axis], end) - start

    def forward(self, x: np.ndarray, y: np.ndarray) -> None:
        """Write each window's mean to ``y``; cells of the padding count as zeros."""
        y.fill(0)
        for read, write, _, _ in self._offsets.views:
            y[write] += x[read]
        # CAFFE-QUIRK: a window without cells (CEIL rounding, stride > kernel) gives 0/0.
        with np.errstate(divide="ignore", invalid="ignore"):
            np.divide(y, self._area, out=y)

    def backward(self, dy: np.ndarray, dx: np.ndarray) -> None:
        """Overwrite ``dx``: each window's gradient is shared out evenly."""
        with np.errstate(divide="ignore", invalid="ignore"):
            np.divide(dy, self._area, out=self._shared)
        dx.fill(0)
        for read, write, _, _ in self._offsets.views:
            dx[read] += self._shared[write]
