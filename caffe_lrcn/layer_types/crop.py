"""Crop: cut a blob to the size of another."""
from __future__ import annotations

from ..blob import Blob
from ..errors import PrototxtError, ShapeError
from .base import Layer, exactly
from .common.checks import axis_of


class Crop(Layer):
    """The part of bottom 0 that has the size of bottom 1 in the axes from ``axis`` on.

    The part begins at ``offset``: nothing (0), one number for all cropped axes, or one for each.
    Bottom 1 gives only its shape: its gradient is 0, as is that of what was cut off.

    Raises:
        PrototxtError: a number of offsets that does not fit.
        ShapeError: bottom 1 has too few axes, or the part sticks out of bottom 0.

    Source: Caffe's crop_layer.
    """

    bottoms = exactly(2)
    allows_in_place = False
    backward_reads_bottom = False

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        param, shape, wanted = self.param.crop_param, bottom[0].shape, bottom[1].shape
        start = axis_of(self, bottom[0], param.axis, "crop_param", "axis")
        cropped = len(shape) - start
        if len(param.offset) not in (0, 1, cropped):
            raise self.error(PrototxtError, "offset must be given once, or for each cropped axis",
                             got=len(param.offset), wanted=f"0, 1 or {cropped}",
                             at=("crop_param", "offset"))
        if len(wanted) < len(shape):
            raise self.error(ShapeError, "bottom 1 has too few axes", got=wanted,
                             wanted=f"{len(shape)} axes, as bottom 0", at=("bottom", 1))
        offsets = list(param.offset) or [0]
        if len(offsets) == 1:
            offsets *= cropped
        for axis, offset in enumerate(offsets, start):
            if offset + wanted[axis] > shape[axis]:
                raise self.error(ShapeError, f"the part sticks out of bottom 0 in axis {axis}",
                                 got=f"offset {offset} + size {wanted[axis]}",
                                 wanted=f"at most {shape[axis]}", at=("crop_param",))
        self._window = (..., *(slice(offset, offset + wanted[axis])
                               for axis, offset in enumerate(offsets, start)))
        top[0].reshape(*shape[:start], *wanted[start:len(shape)])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        top[0].data[...] = bottom[0].data[self._window]

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        for blob, wanted in zip(bottom, propagate_down, strict=True):
            if wanted:
                blob.diff.fill(0)
        if propagate_down[0]:
            bottom[0].diff[self._window] = top[0].diff
