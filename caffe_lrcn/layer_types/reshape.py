"""Reshape: the same values under another shape."""
from __future__ import annotations

import math
from typing import Any

from ..blob import Blob
from ..errors import PrototxtError, ShapeError
from .base import Alias, Arity, Layer


class Reshape(Layer):
    """Replaces the axes from ``axis`` on, ``num_axes`` of them (-1: all), by ``shape``.

    In ``shape`` 0 keeps the bottom's size at this position and one -1 takes what is left. A
    negative ``axis`` counts from behind the last one, so -1 appends. The top shares the bottom's
    storage.

    Instead of ``shape`` a second bottom may be given: its whole shape takes the place of the axes,
    its values are not read, and its gradient is 0. Frames (T*N, C) with ``num_axes: 1`` and clip
    markers (T, N) become (T, N, C), and no size stands in the net.

    bottoms: (...) values; at will, (...) a blob that has the shape.

    Raises:
        PrototxtError: two -1, a size below -1, ``num_axes`` below -1, or ``shape`` beside a second
            bottom.
        ShapeError: axes that the bottom does not have, or a different number of elements.

    Source: Caffe's reshape_layer; the second bottom is our own.
    """

    bottoms = Arity(1, 2)
    bottoms_are = "the values, and at will a blob that has the shape"
    allows_in_place = False
    backward_reads_bottom = False

    @classmethod
    def aliases(cls, param: Any) -> list[Alias]:
        return [Alias(0, 0)]

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        param = self.param.reshape_param
        if param.num_axes < -1:
            raise self.error(PrototxtError, "num_axes is not a number of axes", got=param.num_axes,
                             wanted="-1 (to the last) or more", at=("reshape_param", "num_axes"))
        dims = list(param.shape.dim)
        if dims and len(bottom) > 1:
            raise self.error(PrototxtError, "the shape is given twice: in the definition and by "
                             "the second bottom", got=dims, at=("reshape_param", "shape"),
                             remedy="Leave one of them out.")
        if dims.count(-1) > 1 or min(dims, default=0) < -1:
            raise self.error(PrototxtError, "shape may hold sizes, 0 (keep) and one -1 (infer)",
                             got=dims, at=("reshape_param", "shape"))

    def allow_force_backward(self, bottom: int) -> bool:
        return bottom == 0

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        shape = bottom[0].shape
        start, end = self._replaced_axes(len(shape))
        dims = (list(bottom[1].shape) if len(bottom) > 1
                else self._written(bottom[0], start, end))
        new = (*shape[:start], *dims, *shape[end:])
        if math.prod(new) != bottom[0].count:
            given = f" with the shape {bottom[1].shape} of bottom 1" if len(bottom) > 1 else ""
            raise self.error(ShapeError, "reshaping changes the number of elements",
                             got=f"{new}, {math.prod(new)} elements{given}",
                             wanted=f"{bottom[0].count}, those of {shape}",
                             at=("bottom", 1) if given else ("reshape_param", "shape"))
        top[0].reshape(*new)

    def _written(self, bottom: Blob, start: int, end: int) -> list[int]:
        """Return the sizes in the definition, without 0 and -1."""
        shape, dims = bottom.shape, []
        for i, size in enumerate(self.param.reshape_param.shape.dim):
            if size == 0:
                if start + i >= len(shape):
                    raise self.error(ShapeError, f"dim {i} is 0 (keep), but the bottom has no axis "
                                     f"{start + i}", got=shape, at=("reshape_param", "shape"))
                size = shape[start + i]
            dims.append(size)
        if -1 in dims:
            known = math.prod(size for size in dims if size != -1)
            known *= math.prod(shape[:start]) * math.prod(shape[end:])
            if not known or bottom.count % known:
                raise self.error(ShapeError, "the -1 in shape cannot be inferred",
                                 got=f"{bottom.count} elements of shape {shape}",
                                 wanted=f"a multiple of {known}, the other sizes' product",
                                 at=("reshape_param", "shape"))
            dims[dims.index(-1)] = bottom.count // known
        return dims

    def _replaced_axes(self, axes: int) -> tuple[int, int]:
        param = self.param.reshape_param
        start = param.axis if param.axis >= 0 else axes + 1 + param.axis
        end = axes if param.num_axes == -1 else start + param.num_axes
        if not 0 <= start <= end <= axes:
            raise self.error(ShapeError, "the bottom does not have the axes to replace",
                             got=f"axis {param.axis}, num_axes {param.num_axes}",
                             wanted=f"a part of {axes} axes", at=("reshape_param",))
        return start, end

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        pass

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if len(bottom) > 1 and propagate_down[1]:
            bottom[1].diff.fill(0)
