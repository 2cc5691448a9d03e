"""ELU: exponential linear units."""
from __future__ import annotations

from typing import Any

from .common.pointwise import Pointwise


class ELU(Pointwise):
    """``y = x`` where ``x > 0``, ``alpha * (exp(x) - 1)`` elsewhere, any shape.

    Gradient: ``dx = dy`` where ``x > 0``, ``alpha * exp(x) * dy`` elsewhere (0 included).

    Source: Caffe's elu_layer; Clevert et al., "Fast and accurate deep network learning by
    exponential linear units".
    """

    def value(self, x: Any, y: Any) -> None:
        low = self.xp.minimum(x, 0, out=self.backend.scratch.take(x.shape))
        self.xp.expm1(low, out=low)
        low *= self.param.elu_param.alpha
        self.xp.maximum(x, 0, out=y)
        self.xp.add(y, low, out=y)

    def slope(self, x: Any) -> Any:
        slope = self.xp.minimum(x, 0, out=self.backend.scratch.take(x.shape))
        self.xp.exp(slope, out=slope)
        slope *= self.param.elu_param.alpha
        # CAFFE-QUIRK: at 0 the slope is that of the left side.
        positive = self.xp.greater(x, 0, out=self.backend.scratch.take(x.shape, bool))
        self.xp.copyto(slope, 1, where=positive)
        return slope
