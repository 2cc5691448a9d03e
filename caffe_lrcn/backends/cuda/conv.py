"""Convolution by im2col and matrix products. Source: Caffe's conv_layer."""
from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from ...errors import BackendError
from ..specs import ConvSpec
from .checks import has_size
from .compile import launch
from .elementwise import bias_add, sum_to_channels
from .matmul import matmul

_SOURCE = "conv.cu"
_AXES = 3
#: Columns are laid out for as many images at once as fit into this much memory.
_COLUMN_BYTES = 256 << 20


def plan(spec: ConvSpec, x_shape: tuple[int, ...], backend: Any) -> Convolution:
    """Return the object that runs one convolution for bottoms of one shape; see ``cpu/conv.py``.

    The backend's ``math`` is that of the matrix products.

    Raises:
        BackendError: more than three spatial axes.
    """
    return Convolution(spec, x_shape, backend)


class Convolution:
    """One convolution at one bottom shape."""

    def __init__(self, spec: ConvSpec, x_shape: tuple[int, ...], backend: Any) -> None:
        size, out = tuple(x_shape[2:]), spec.output_size(tuple(x_shape[2:]))
        if len(size) > _AXES:
            raise BackendError("convolution in CUDA has at most three spatial axes",
                               got=len(size), remedy="Run this net on the CPU.")
        self._backend = backend
        self._images, self._channels, self._group = x_shape[0], x_shape[1], spec.group
        self._outputs, self._in, self._out = spec.num_output, prod(size), prod(out)
        self._rows = x_shape[1] * prod(spec.kernel)
        # A 1x1 convolution of every pixel: the image is its own columns.
        self._direct = (set(spec.kernel) <= {1} and set(spec.stride) <= {1}
                        and set(spec.pad) <= {0})
        facts = ((size, 1), (spec.kernel, 1), (spec.stride, 1), (spec.pad, 0), (spec.dilation, 1),
                 (out, 1))
        table = [(neutral,) * (_AXES - len(size)) + tuple(values) for values, neutral in facts]
        self._geometry = backend.upload(np.array(table, np.int32).reshape(-1))
        image_bytes = max(1, self._rows * self._out * backend.dtype.itemsize)
        self._chunk = max(1, min(self._images, _COLUMN_BYTES // image_bytes))

    def forward(self, x: Any, w: Any, b: Any | None, y: Any) -> None:
        """Compute ``y = w * x (+ b)`` (cross-correlation)."""
        self._check(x, w, y)
        for images, columns in self._unfolded(x):
            for weight, column, top in self._groups(w, columns, self._y_view(y)[images]):
                matmul(weight, column, top, math=self._backend.math)
        if b is not None:
            top = y.reshape(self._images, self._outputs, self._out)
            bias_add(top, b, top)

    def backward_data(self, dy: Any, w: Any, dx: Any) -> None:
        """Overwrite ``dx`` with the gradient of the bottom."""
        self._check(dx, w, dy)
        x_view, y_view = self._x_view(dx), self._y_view(dy)
        for images, columns in self._chunks(x_view):
            for weight, column, top in self._groups(w, columns, y_view[images]):
                matmul(weight, top, column, trans_a=True, math=self._backend.math)
            if not self._direct:
                bottom = x_view[images]
                launch(_SOURCE, "col2im", bottom.size, (columns, self._geometry, bottom),
                       dx.dtype)

    def backward_weights(self, x: Any, dy: Any, dw: Any) -> None:
        """Add the gradient of the weights to ``dw``."""
        self._check(x, dw, dy)
        for images, columns in self._unfolded(x):
            for weight, column, top in self._groups(dw, columns, self._y_view(dy)[images]):
                # Image by image: a product of the whole stack would need a dw for each image.
                for left, right in zip(top, column, strict=True):
                    matmul(left, right, weight, trans_b=True, accumulate=True,
                           math=self._backend.math)

    def backward_bias(self, dy: Any, db: Any) -> None:
        """Add the gradient of the bias to ``db``."""
        sum_to_channels(dy.reshape(self._images, self._outputs, self._out), db,
                        self._backend.scratch)

    def _check(self, x: Any, w: Any, y: Any) -> None:
        has_size("the bottom's", x, self._images * self._channels * self._in)
        has_size("the weights'", w, self._outputs * self._rows // self._group)
        has_size("the top's", y, self._images * self._outputs * self._out)

    def _chunks(self, x: Any) -> Iterator[tuple[slice, Any]]:
        """Yield (images, room for their columns), chunk by chunk; ``x`` is the columns if direct.

        The room is scratch: all layers use the same memory in turn, while columns kept by every
        layer of a deep net would fill the GPU.
        """
        with self._backend.scratch.frame():
            room = None if self._direct else self._backend.scratch.take(
                (self._chunk, self._rows, self._out))
            for start in range(0, self._images, self._chunk):
                images = slice(start, min(start + self._chunk, self._images))
                yield images, x[images] if room is None else room[:images.stop - start]

    def _x_view(self, x: Any) -> Any:
        return x.reshape(self._images, self._channels, self._in)

    def _y_view(self, y: Any) -> Any:
        return y.reshape(self._images, self._outputs, self._out)

    def _unfolded(self, x: Any) -> Iterator[tuple[slice, Any]]:
        """Yield (images, their columns), chunk by chunk."""
        x_view = self._x_view(x)
        for images, columns in self._chunks(x_view):
            if not self._direct:
                count = len(columns) * self._channels * self._out
                launch(_SOURCE, "im2col", count, (x_view[images], self._geometry, columns),
                       x.dtype)
            yield images, columns

    def _groups(self, w: Any, columns: Any, y: Any) -> Iterator[tuple[Any, Any, Any]]:
        """Yield each group's weights (matrix), columns and top (stacks of matrices), as views."""
        rows, outputs = self._rows // self._group, self._outputs // self._group
        weights = w.reshape(self._group, outputs, rows)
        for group in range(self._group):
            yield (weights[group], columns[:, group * rows:(group + 1) * rows],
                   y[:, group * outputs:(group + 1) * outputs])
