"""Log: logarithms to a base."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from ..errors import PrototxtError
from .common.checks import log_of_base
from .common.pointwise import Pointwise


class Log(Pointwise):
    """``y = log_base(shift + scale * x)``, any shape; base -1 means e.

    Gradient: ``dx = dy * scale / (ln(base) * (shift + scale * x))``. Arguments below 0 give NaN,
    0 gives minus infinity.

    Raises:
        PrototxtError: ``base`` is neither -1 nor a positive number, or it is 1.

    Source: Caffe's log_layer.
    """

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        super().setup(bottom, top)
        log_base = log_of_base(self, "log_param")
        if log_base == 0:
            raise self.error(PrototxtError, "there is no logarithm to base 1", got=1,
                             wanted="-1 (e) or a positive number that is not 1",
                             at=("log_param", "base"))
        self._factor = 1 / log_base

    def value(self, x: Any, y: Any) -> None:
        self._argument(x, y)
        self.xp.log(y, out=y)
        if self._factor != 1:
            self.xp.multiply(y, self._factor, out=y)

    def slope(self, x: Any) -> Any:
        slope = self.backend.scratch.take(x.shape)
        self._argument(x, slope)
        return self.xp.divide(self.param.log_param.scale * self._factor, slope, out=slope)

    def _argument(self, x: Any, out: Any) -> None:
        self.xp.multiply(x, self.param.log_param.scale, out=out)
        out += self.param.log_param.shift
