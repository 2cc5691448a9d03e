"""Threshold: ones where the input is large."""
from __future__ import annotations

from ..blob import Blob
from .base import Layer


class Threshold(Layer):
    """``y = 1`` where ``x > threshold``, else 0, any shape.

    Raises:
        NetError: a gradient is asked for; there is none.

    Source: Caffe's threshold_layer.
    """

    backward_reads_bottom = False

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        top[0].reshape_like(bottom[0])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        threshold = self.param.threshold_param.threshold
        for x, y in self.backend.pieces(bottom[0].data, top[0].data):
            self.xp.greater(x, threshold, out=y)
