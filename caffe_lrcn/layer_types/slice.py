"""Slice: cut a blob along an axis."""
from __future__ import annotations

from typing import Any

from .. import glog
from ..blob import Blob
from ..errors import PrototxtError, ShapeError
from .base import Alias, Arity, Layer
from .common.checks import axis_of_two_names


class Slice(Layer):
    """Cuts its bottom along ``axis`` at each ``slice_point``, or into equal parts.

    One top: it shares the bottom's storage. A last point at the end of the axis makes an empty top.

    Raises:
        PrototxtError: both ``axis`` and its older name ``slice_dim``, or points that do not
            increase or are not one fewer than the tops.
        ShapeError: the axis does not divide evenly, or ends before the last point.

    Source: Caffe's slice_layer.
    """

    tops = Arity(1)
    allows_in_place = False
    backward_reads_bottom = False

    @classmethod
    def aliases(cls, param: Any) -> list[Alias]:
        return [Alias(0, 0)] if len(param.top) == 1 else []

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        points = list(self.param.slice_param.slice_point)
        at = ("slice_param", "slice_point")
        if points and len(points) != len(top) - 1:
            raise self.error(PrototxtError, "there must be one slice_point between each two tops",
                             got=len(points), wanted=len(top) - 1, at=at)
        if any(right <= left for left, right in zip([0, *points], points, strict=False)):
            raise self.error(PrototxtError, "slice_point must increase from above 0", got=points,
                             at=at)
        axis = axis_of_two_names(self, bottom[0], "slice_param", "slice_dim")
        if points and points[-1] == bottom[0].shape[axis]:
            # CAFFE-QUIRK: this is accepted.
            glog.warning("%s: layer '%s': slice_point %d is the end of the axis, so the last top "
                         "is empty", self.context.place.at(*at), self.name, points[-1])

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        shape = bottom[0].shape
        axis = axis_of_two_names(self, bottom[0], "slice_param", "slice_dim")
        edges = self._edges(shape[axis], len(top))
        self._parts = []
        for blob, start, end in zip(top, edges, edges[1:], strict=False):
            blob.reshape(*shape[:axis], end - start, *shape[axis + 1:])
            self._parts.append((slice(None),) * axis + (slice(start, end),))

    def _edges(self, size: int, tops: int) -> list[int]:
        points = list(self.param.slice_param.slice_point)
        if points:
            if points[-1] > size or len(points) == size:
                raise self.error(ShapeError, "slice_point lies beyond the end of the axis",
                                 got=points[-1], wanted=f"below {size}",
                                 at=("slice_param", "slice_point"))
            return [0, *points, size]
        if size % tops:
            raise self.error(ShapeError, f"the axis does not divide by {tops} tops", got=size,
                             at=("slice_param",), remedy="Give slice_point.")
        return [i * (size // tops) for i in range(tops + 1)]

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        if len(top) == 1:
            return
        for blob, part in zip(top, self._parts, strict=True):
            blob.data[...] = bottom[0].data[part]

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if len(top) == 1 or not propagate_down[0]:
            return
        for blob, part in zip(top, self._parts, strict=True):
            bottom[0].diff[part] = blob.diff
