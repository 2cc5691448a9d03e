"""Flatten: several axes become one."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from ..errors import PrototxtError
from .base import Alias, Layer
from .common.checks import axis_of


class Flatten(Layer):
    """Joins the axes ``axis`` to ``end_axis`` (inclusive); the top shares the bottom's storage.

    Raises:
        ShapeError: the bottom has no such axes, or they are the wrong way round.

    Source: Caffe's flatten_layer.
    """

    allows_in_place = False
    backward_reads_bottom = False

    @classmethod
    def aliases(cls, param: Any) -> list[Alias]:
        return [Alias(0, 0)]

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        param, shape = self.param.flatten_param, bottom[0].shape
        start = axis_of(self, bottom[0], param.axis, "flatten_param", "axis")
        end = axis_of(self, bottom[0], param.end_axis, "flatten_param", "end_axis") + 1
        if start > end:
            raise self.error(PrototxtError, "end_axis comes before axis",
                             got=f"{param.axis} to {param.end_axis}", at=("flatten_param",))
        top[0].reshape(*shape[:start], bottom[0].count_range(start, end), *shape[end:])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        pass

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        pass
