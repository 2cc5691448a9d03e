"""Softmax: scores to probabilities."""
from __future__ import annotations

from ..blob import Blob
from .base import Layer
from .common.checks import axis_of


class Softmax(Layer):
    """``y = exp(x) / sum(exp(x))`` along ``axis``, shifted by the maximum against overflow.

    Source: Caffe's softmax_layer.
    """

    backward_reads_top = True
    backward_reads_bottom = False

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        axis = axis_of(self, bottom[0], self.param.softmax_param.axis, "softmax_param", "axis")
        top[0].reshape_like(bottom[0])
        self._view = (bottom[0].count_range(0, axis), bottom[0].shape[axis],
                      bottom[0].count_range(axis + 1))

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        self.backend.softmax_loss.softmax_forward(
            bottom[0].data.reshape(self._view), top[0].data.reshape(self._view),
            self.backend.scratch)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if propagate_down[0]:
            self.backend.softmax_loss.softmax_backward(
                top[0].data.reshape(self._view), top[0].diff.reshape(self._view),
                bottom[0].diff.reshape(self._view), self.backend.scratch)
