"""Tile: repeat a blob along an axis."""
from __future__ import annotations

from ..blob import Blob
from ..errors import PrototxtError
from .base import Layer
from .common.checks import axis_of


class Tile(Layer):
    """``tiles`` copies of the bottom side by side along ``axis``.

    The gradient is the sum over the copies.

    Raises:
        PrototxtError: ``tiles`` is missing or not positive.
        ShapeError: the bottom has no such axis.

    Source: Caffe's tile_layer.
    """

    allows_in_place = False
    backward_reads_bottom = False

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        param = self.param.tile_param
        if param.tiles <= 0:
            raise self.error(PrototxtError, "tiles must be positive", at=("tile_param", "tiles"),
                             got=param.tiles if param.HasField("tiles") else "nothing",
                             remedy="Write tile_param { tiles: … }, the number of copies.")

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        param, shape = self.param.tile_param, list(bottom[0].shape)
        axis = axis_of(self, bottom[0], param.axis, "tile_param", "axis")
        self._view = bottom[0].count_range(0, axis), param.tiles, bottom[0].count_range(axis)
        shape[axis] *= param.tiles
        top[0].reshape(*shape)

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        outer, _, inner = self._view
        top[0].data.reshape(self._view)[...] = bottom[0].data.reshape(outer, 1, inner)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if propagate_down[0]:
            outer, _, inner = self._view
            self.xp.sum(top[0].diff.reshape(self._view), axis=1,
                        out=bottom[0].diff.reshape(outer, inner))
