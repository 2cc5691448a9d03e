"""AbsVal: absolute values."""
from __future__ import annotations

from typing import Any

from .common.pointwise import Pointwise


class AbsVal(Pointwise):
    """``y = |x|``, any shape; ``dx = sign(x) * dy`` with ``sign(0) = 0``.

    Not in place. Source: Caffe's absval_layer.
    """

    allows_in_place = False

    def value(self, x: Any, y: Any) -> None:
        self.xp.abs(x, out=y)

    def slope(self, x: Any) -> Any:
        return self.xp.sign(x, out=self.backend.scratch.take(x.shape))
