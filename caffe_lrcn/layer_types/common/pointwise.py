"""What layers share that map every element by itself."""
from __future__ import annotations

from typing import Any

import numpy as np

from ...blob import Blob
from ..base import Layer


class Pointwise(Layer):
    """Base of layers with ``y = f(x)`` and ``dx = f'(x) * dy``, any shape.

    Subclasses define ``value`` and ``slope``. Both see flat pieces of the blobs, so that what they
    take from ``backend.scratch`` stays small. The slope is taken at the input, which is kept where
    the layer works in place, so what later layers do to the top is of no concern.
    """

    def value(self, x: Any, y: Any) -> None:
        """Write ``y = f(x)``; ``y`` may be the same array as ``x``."""
        raise NotImplementedError

    def slope(self, x: Any) -> Any:
        """Return ``f'(x)`` in an array from ``scratch``."""
        raise NotImplementedError

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        self._kept = Blob(self.backend) if bottom[0] is top[0] else None

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        top[0].reshape_like(bottom[0])
        if self._kept:
            self._kept.reshape_like(bottom[0])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        if self._kept:
            self._kept.data[...] = bottom[0].data
        with np.errstate(all="ignore"):  # as in Caffe, overflow gives inf and log(-1) gives NaN
            for x, y in self.backend.pieces(bottom[0].data, top[0].data):
                self.value(x, y)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if not propagate_down[0]:
            return
        source = self._kept or bottom[0]
        with np.errstate(all="ignore"):
            for x, dy, dx in self.backend.pieces(source.data, top[0].diff, bottom[0].diff):
                self.xp.multiply(dy, self.slope(x), out=dx)
