"""MVN: bring each channel, or each sample, to mean 0 and variance 1."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from ..errors import ShapeError
from .base import Layer


class MVN(Layer):
    """``y = (x - mean) / (std + eps)`` for each channel, or for each sample if ``across_channels``.

    Bottom: up to four axes. Top: the same with four axes. Without ``normalize_variance`` only the
    mean is taken away. Gradient: ``dx = (dy - mean(dy) - y * mean(dy * y)) / (std + eps)``.

    Raises:
        ShapeError: more than four axes.

    Source: Caffe's mvn_layer.
    """

    backward_reads_bottom = False

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        # Kept apart from the top, which a later layer in place may overwrite.
        self._normalised, self._divisor = Blob(self.backend), Blob(self.backend)

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        if len(bottom[0].shape) > 4:
            raise self.error(ShapeError, "MVN takes up to four axes", got=bottom[0].shape,
                             wanted="(N, C, H, W)", at=("bottom", 0),
                             remedy="Put a Reshape layer in front.")
        shape = tuple(bottom[0].legacy_shape(axis) for axis in range(4))
        rows = shape[0] if self.param.mvn_param.across_channels else shape[0] * shape[1]
        self._view = rows, bottom[0].count // max(rows, 1)
        self._bottom_shape = bottom[0].shape
        # CAFFE-QUIRK: the top has four axes, whatever the bottom has.
        top[0].reshape(*shape)
        if self.param.mvn_param.normalize_variance:
            self._normalised.reshape(*self._view)
            self._divisor.reshape(rows, 1)

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        param, xp = self.param.mvn_param, self.xp
        x, y = bottom[0].data.reshape(self._view), top[0].data.reshape(self._view)
        xp.subtract(x, self._mean(x), out=y)
        if not param.normalize_variance:
            return
        normalised, divisor = self._normalised.data, self._divisor.data
        xp.multiply(y, y, out=normalised)
        xp.sqrt(self._mean(normalised), out=divisor)
        # CAFFE-QUIRK: eps is added to the standard deviation, not to the variance.
        xp.add(divisor, param.eps, out=divisor)
        xp.divide(y, divisor, out=y)
        normalised[...] = y

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        # In place: the layer that made the bottom expects its gradient in the shape that it made.
        bottom[0].reshape(*self._bottom_shape)
        if not propagate_down[0]:
            return
        xp = self.xp
        dy, dx = top[0].diff.reshape(self._view), bottom[0].diff.reshape(self._view)
        mean = self._mean(dy)
        if not self.param.mvn_param.normalize_variance:
            xp.subtract(dy, mean, out=dx)
            return
        # CAFFE-QUIRK: this is the derivative for eps = 0, apart from the divisor.
        y = self._normalised.data
        slope = self.backend.scratch.take(self._view)
        xp.multiply(y, self._mean(xp.multiply(dy, y, out=slope)), out=slope)
        slope += mean
        xp.subtract(dy, slope, out=dx)
        xp.divide(dx, self._divisor.data, out=dx)

    def _mean(self, x: Any) -> Any:
        mean = self.backend.scratch.take(len(x))
        mean.fill(0)
        self.backend.elementwise.sum_to_channels(x[None], mean, self.backend.scratch)
        mean /= max(self._view[1], 1)
        return mean[:, None]
