"""Power: shift, scale and power."""
from __future__ import annotations

from typing import Any

import numpy as np

from ..blob import Blob
from .base import Layer


class Power(Layer):
    """``y = (shift + scale * x) ** power``, any shape.

    Where ``scale * power`` is 0 the top is constant and the gradient 0.
    Source: Caffe's power_layer.
    """

    @classmethod
    def reads_bottom_again(cls, param: Any) -> bool:
        """A line has the same slope everywhere."""
        return param.power_param.power not in (0, 1)

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        param = self.param.power_param
        self._args = (param.power, param.scale, param.shift)
        # The gradient needs the input unless it is linear; in place the output replaces it.
        needs_input = param.power != 1 and param.power * param.scale != 0
        self._kept = Blob(self.backend) if bottom[0] is top[0] and needs_input else None

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        top[0].reshape_like(bottom[0])
        if self._kept:
            self._kept.reshape_like(bottom[0])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        if self._kept:
            self._kept.data[...] = bottom[0].data
        self.backend.elementwise.power_forward(bottom[0].data, *self._args, top[0].data)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if not propagate_down[0]:
            return
        x, y = (self._kept or bottom[0]).data, top[0].data
        power, scale, shift = self._args
        if self.context.settings.strict and power * scale != 0 and power not in (1, 2):
            # CAFFE-QUIRK: the reference divides the output by the base, which is NaN at 0.
            slope = self.backend.scratch.take(x.shape)
            with np.errstate(all="ignore"):
                self.xp.multiply(x, scale, out=slope)
                if shift:
                    slope += shift
                self.xp.divide(y, slope, out=slope)
                slope *= power * scale
            self.xp.multiply(slope, top[0].diff, out=bottom[0].diff)
            return
        self.backend.elementwise.power_backward(x, y, top[0].diff, power, scale, shift,
                                                bottom[0].diff, self.backend.scratch)
