"""Swish: the input times its own gate."""
from __future__ import annotations

from typing import Any

from .common.pointwise import Pointwise


class Swish(Pointwise):
    """``y = x * s`` with ``s = 1 / (1 + exp(-beta * x))``, any shape.

    Gradient: ``dx = dy * (s + beta * x * s * (1 - s))``.

    Source: Caffe's swish_layer; Ramachandran et al., "Searching for activation functions".
    """

    def value(self, x: Any, y: Any) -> None:
        self.xp.multiply(x, self._gate(x), out=y)

    def slope(self, x: Any) -> Any:
        gate = self._gate(x)
        slope = self.xp.subtract(1, gate, out=self.backend.scratch.take(x.shape))
        slope *= x
        slope *= self.param.swish_param.beta
        slope += 1
        slope *= gate
        return slope

    def _gate(self, x: Any) -> Any:
        gate = self.backend.scratch.take(x.shape)
        self.xp.multiply(x, self.param.swish_param.beta, out=gate)
        self.backend.elementwise.sigmoid_forward(gate, gate)
        return gate
