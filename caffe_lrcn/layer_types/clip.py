"""Clip: limit values to an interval."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from ..errors import PrototxtError
from .common.pointwise import Pointwise


class Clip(Pointwise):
    """``y = max(min, min(x, max))``, any shape; ``dx = dy`` where ``min <= x <= max``, else 0.

    Raises:
        PrototxtError: no ``clip_param``.

    Source: Caffe's clip_layer.
    """

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        super().setup(bottom, top)
        if not self.param.HasField("clip_param"):
            raise self.error(PrototxtError, "clip_param is missing",
                             remedy="Write clip_param { min: … max: … }")
        self._low, self._high = self.param.clip_param.min, self.param.clip_param.max

    def value(self, x: Any, y: Any) -> None:
        self.xp.minimum(x, self._high, out=y)
        self.xp.maximum(y, self._low, out=y)

    def slope(self, x: Any) -> Any:
        # CAFFE-QUIRK: the limits themselves pass the gradient.
        above, below = (self.backend.scratch.take(x.shape, bool) for _ in range(2))
        self.xp.greater_equal(x, self._low, out=above)
        self.xp.less_equal(x, self._high, out=below)
        return self.xp.logical_and(above, below, out=above)
