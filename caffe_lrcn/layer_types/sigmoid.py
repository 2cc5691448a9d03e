"""Sigmoid: the logistic function."""
from __future__ import annotations

from ..blob import Blob
from .base import Layer


class Sigmoid(Layer):
    """``y = 1 / (1 + exp(-x))``, any shape. Source: Caffe's sigmoid_layer."""

    backward_reads_top = True
    backward_reads_bottom = False

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        top[0].reshape_like(bottom[0])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        self.backend.elementwise.sigmoid_forward(bottom[0].data, top[0].data)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if propagate_down[0]:
            self.backend.elementwise.sigmoid_backward(top[0].data, top[0].diff, bottom[0].diff,
                                                      self.backend.scratch)
