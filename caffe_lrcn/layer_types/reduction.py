"""Reduction: sums and means over the last axes."""
from __future__ import annotations

from ..blob import Blob
from ..proto import caffe_pb2
from .base import Layer
from .common.checks import axis_of

_SUM, _ASUM, _SUMSQ, _MEAN = (caffe_pb2.ReductionParameter.ReductionOp.Value(name)
                              for name in ("SUM", "ASUM", "SUMSQ", "MEAN"))


class Reduction(Layer):
    """``coeff`` times the SUM, MEAN, sum of magnitudes (ASUM) or of squares (SUMSQ).

    All axes from ``axis`` on are reduced, and the top has the shape of those before it: () for
    axis 0.

    Raises:
        ShapeError: the bottom has no such axis.

    Source: Caffe's reduction_layer.
    """

    allows_in_place = False

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        param = self.param.reduction_param
        axis = axis_of(self, bottom[0], param.axis, "reduction_param", "axis")
        self._view = bottom[0].count_range(0, axis), bottom[0].count_range(axis)
        self._coeff = param.coeff
        if param.operation == _MEAN:
            self._coeff /= max(self._view[1], 1)
        top[0].reshape(*bottom[0].shape[:axis])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        operation, xp = self.param.reduction_param.operation, self.xp
        x, y = bottom[0].data.reshape(self._view), top[0].data.reshape(-1)
        if operation == _SUMSQ:
            x = xp.square(x, out=self.backend.scratch.take(self._view))
        elif operation == _ASUM:
            x = xp.abs(x, out=self.backend.scratch.take(self._view))
        y.fill(0)
        self.backend.elementwise.sum_to_channels(x[None], y, self.backend.scratch)
        if self._coeff != 1:
            xp.multiply(y, self._coeff, out=y)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if not propagate_down[0]:
            return
        operation, xp = self.param.reduction_param.operation, self.xp
        x, dx = bottom[0].data.reshape(self._view), bottom[0].diff.reshape(self._view)
        dy = self.backend.scratch.take((self._view[0], 1))
        xp.multiply(top[0].diff.reshape(-1, 1), self._coeff, out=dy)
        if operation == _SUMSQ:
            dy *= 2
            xp.multiply(x, dy, out=dx)
        elif operation == _ASUM:
            xp.sign(x, out=dx)
            xp.multiply(dx, dy, out=dx)
        else:
            dx[...] = dy
