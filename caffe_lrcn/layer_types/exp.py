"""Exp: powers of a base."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from .common.checks import log_of_base
from .common.pointwise import Pointwise


class Exp(Pointwise):
    """``y = base ** (shift + scale * x)``, any shape; base -1 means e.

    Gradient: ``dx = dy * y * scale * ln(base)``.

    Raises:
        PrototxtError: ``base`` is neither -1 nor a positive number.

    Source: Caffe's exp_layer.
    """

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        super().setup(bottom, top)
        param = self.param.exp_param
        log_base = log_of_base(self, "exp_param")
        self._scale, self._shift = param.scale * log_base, param.shift * log_base

    def value(self, x: Any, y: Any) -> None:
        self.xp.multiply(x, self._scale, out=y)
        if self._shift:
            self.xp.add(y, self._shift, out=y)
        self.xp.exp(y, out=y)

    def slope(self, x: Any) -> Any:
        slope = self.backend.scratch.take(x.shape)
        self.value(x, slope)
        slope *= self._scale
        return slope
