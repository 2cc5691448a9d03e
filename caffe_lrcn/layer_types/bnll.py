"""BNLL: binomial normal log likelihood, also known as softplus."""
from __future__ import annotations

from typing import Any

from .common.pointwise import Pointwise


class BNLL(Pointwise):
    """``y = log(1 + exp(x))``, any shape; ``dx = dy / (1 + exp(-x))``.

    Source: Caffe's bnll_layer.
    """

    def value(self, x: Any, y: Any) -> None:
        # max(x, 0) + log(1 + exp(-|x|)) is the same and never overflows.
        rest = self.xp.abs(x, out=self.backend.scratch.take(x.shape))
        self.xp.negative(rest, out=rest)
        self.xp.exp(rest, out=rest)
        self.xp.log1p(rest, out=rest)
        self.xp.maximum(x, 0, out=y)
        self.xp.add(y, rest, out=y)

    def slope(self, x: Any) -> Any:
        sigmoid = self.backend.scratch.take(x.shape)
        self.backend.elementwise.sigmoid_forward(x, sigmoid)
        return sigmoid
