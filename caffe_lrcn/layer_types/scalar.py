"""Scalar: multiply by a smaller blob."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from .base import Layer, exactly
from .common.broadcast import covered_view


class Scalar(Layer):
    """``y = x * s`` with ``s``, bottom 1, spread over the other axes of ``x``, bottom 0.

    The shape of ``s`` must match ``x`` from ``axis`` on; a 0-axis ``s`` multiplies everything.
    Gradients: ``dx = dy * s``, ``ds = sum(dy * x)``. Not in place. A Scale layer with two bottoms
    does the same.

    Raises:
        ShapeError: shapes that do not match.

    Source: the scalar_layer of Caffe's LRCN branch.
    """

    bottoms = exactly(2)
    allows_in_place = False

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        self._product = Blob(self.backend)

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        self._view = covered_view(self, bottom, bottom[1], "scalar_param", "factor")
        top[0].reshape_like(bottom[0])
        self._product.reshape_like(bottom[0])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        self._scale(bottom[0].data, bottom[1], top[0].data)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if propagate_down[1]:
            product = self._product.data
            self.xp.multiply(bottom[0].data, top[0].diff, out=product)
            bottom[1].diff.fill(0)
            self.backend.elementwise.sum_to_channels(product.reshape(self._view),
                                                     bottom[1].diff.reshape(-1),
                                                     self.backend.scratch)
        if propagate_down[0]:
            self._scale(top[0].diff, bottom[1], bottom[0].diff)

    def _scale(self, x: Any, factor: Blob, out: Any) -> None:
        self.backend.elementwise.channel_scale(x.reshape(self._view), factor.data.reshape(-1),
                                               None, out.reshape(self._view))
