"""Split: several names for one blob, each with a gradient of its own."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from .base import Alias, Arity, Layer


class Split(Layer):
    """Tops share the bottom's values; its gradient is the sum of theirs. Source: split_layer."""

    tops = Arity(1)
    allows_in_place = False
    backward_reads_bottom = False

    @classmethod
    def aliases(cls, param: Any) -> list[Alias]:
        return [Alias(i, 0, diff=False) for i in range(len(param.top))]

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        for blob in top:
            blob.reshape_like(bottom[0])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        pass

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if not propagate_down[0]:
            return
        dx = bottom[0].diff
        if len(top) == 1:
            dx[...] = top[0].diff
            return
        self.xp.add(top[0].diff, top[1].diff, out=dx)
        for blob in top[2:]:
            self.xp.add(dx, blob.diff, out=dx)
