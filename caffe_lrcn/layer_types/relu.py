"""ReLU: rectified linear units, with an optional leak."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from .base import Layer


class ReLU(Layer):
    """``y = max(x, 0) + negative_slope * min(x, 0)``, any shape.

    The gradient at 0 is that of the left side. Source: Caffe's relu_layer.
    """

    @classmethod
    def reads_top_again(cls, param: Any) -> bool:
        """In place the output stands in for the input, which works while their signs agree."""
        return param.bottom[0] == param.top[0] and param.relu_param.negative_slope >= 0

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        self._slope = self.param.relu_param.negative_slope
        self._kept = Blob(self.backend) if bottom[0] is top[0] and self._slope < 0 else None

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        top[0].reshape_like(bottom[0])
        if self._kept:
            self._kept.reshape_like(bottom[0])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        if self._kept:
            self._kept.data[...] = bottom[0].data
        self.backend.elementwise.relu_forward(bottom[0].data, self._slope, top[0].data,
                                              self.backend.scratch)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if propagate_down[0]:
            x = self._kept or bottom[0]
            self.backend.elementwise.relu_backward(x.data, top[0].diff, self._slope,
                                                   bottom[0].diff, self.backend.scratch)
