"""Concat: join blobs along an axis."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from ..errors import ShapeError
from .base import Alias, Arity, Layer
from .common.checks import axis_of_two_names, difference


class Concat(Layer):
    """Puts its bottoms one after the other along ``axis``; their other axes must agree.

    One bottom: the top shares its storage.

    Raises:
        PrototxtError: both ``axis`` and its older name ``concat_dim`` are given.
        ShapeError: shapes that do not fit.

    Source: Caffe's concat_layer.
    """

    bottoms = Arity(1)
    allows_in_place = False
    backward_reads_bottom = False

    @classmethod
    def aliases(cls, param: Any) -> list[Alias]:
        return [Alias(0, 0)] if len(param.bottom) == 1 else []

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        first = bottom[0].shape
        axis = axis_of_two_names(self, bottom[0], "concat_param", "concat_dim")
        self._parts, end = [], 0
        for i, blob in enumerate(bottom):
            shape = blob.shape
            wrong = difference(shape, first, axis)
            if wrong:
                sizes = ("any" if j == axis else str(size) for j, size in enumerate(first))
                raise self.error(ShapeError, f"bottoms 0 and {i} differ {wrong}; only axis {axis}, "
                                 "along which they are joined, may differ", got=shape,
                                 wanted=f"({', '.join(sizes)})", at=("bottom", i))
            self._parts.append((slice(None),) * axis + (slice(end, end + shape[axis]),))
            end += shape[axis]
        top[0].reshape(*first[:axis], end, *first[axis + 1:])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        if len(bottom) == 1:
            return
        for blob, part in zip(bottom, self._parts, strict=True):
            top[0].data[part] = blob.data

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if len(bottom) == 1:
            return
        for blob, part, wanted in zip(bottom, self._parts, propagate_down, strict=True):
            if wanted:
                blob.diff[...] = top[0].diff[part]
