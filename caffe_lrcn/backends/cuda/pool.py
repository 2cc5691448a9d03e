"""Pooling of (N, C, H, W) images. Source: Caffe's pooling_layer."""
from __future__ import annotations

from typing import Any

from ..specs import PoolSpec
from .checks import has_size
from .compile import launch

_SOURCE = "pool.cu"


def plan(spec: PoolSpec, x_shape: tuple[int, int, int, int], backend: Any) -> MaxPool | AvePool:
    """Return the object that runs one pooling for bottoms of one shape; see ``cpu/pool.py``."""
    return (MaxPool if spec.method == "MAX" else AvePool)(spec, x_shape, backend)


class _Pool:
    """The numbers that the kernels want."""

    def __init__(self, spec: PoolSpec, x_shape: tuple[int, int, int, int], backend: Any) -> None:
        images, channels, height, width = x_shape
        pooled = spec.output_size((height, width))
        self._y_shape = (images, channels, *pooled)
        self._x_count = images * channels * height * width
        self._y_count = images * channels * pooled[0] * pooled[1]
        self._geometry = (height, width, *pooled, *spec.kernel, *spec.stride, *spec.pad)

    def _check(self, x: Any, y: Any) -> None:
        has_size("the bottom's", x, self._x_count)
        has_size("the top's", y, self._y_count)


class MaxPool(_Pool):
    """Maximum of each window."""

    def __init__(self, spec: PoolSpec, x_shape: tuple[int, int, int, int], backend: Any) -> None:
        super().__init__(spec, x_shape, backend)
        self.mask = backend.zeros(self._y_count, "int32").reshape(self._y_shape)

    def forward(self, x: Any, y: Any) -> None:
        """Write each window's maximum to ``y`` and remember where it was."""
        self._check(x, y)
        launch(_SOURCE, "max_pool_forward", y.size, (x, *self._geometry, y, self.mask), y.dtype)

    def backward(self, dy: Any, dx: Any) -> None:
        """Overwrite ``dx``: each window's gradient goes to its maximum, if it has one."""
        self._check(dx, dy)
        launch(_SOURCE, "max_pool_backward", dx.size, (dy, self.mask, *self._geometry, dx),
               dx.dtype)


class AvePool(_Pool):
    """Mean of each window."""

    mask = None

    def forward(self, x: Any, y: Any) -> None:
        """Write each window's mean to ``y``; cells of the padding count as zeros."""
        self._check(x, y)
        launch(_SOURCE, "ave_pool_forward", y.size, (x, *self._geometry, y), y.dtype)

    def backward(self, dy: Any, dx: Any) -> None:
        """Overwrite ``dx``: each window's gradient is shared out evenly."""
        self._check(dx, dy)
        launch(_SOURCE, "ave_pool_backward", dx.size, (dy, *self._geometry, dx), dx.dtype)
