"""Bias: add along some axes."""
from __future__ import annotations

from ..blob import Blob
from .base import Arity, Layer
from .common.broadcast import covered_view, learned_shape


class Bias(Layer):
    """``y = x + b`` with ``b`` spread over the other axes.

    With one bottom ``b`` is a parameter with the shape of ``num_axes`` axes of the bottom from
    ``axis`` on (-1: all; 0: one number), 0 at the start unless a filler is given; with two, it is
    bottom 1, whose shape must match bottom 0 from ``axis`` on.

    Raises:
        PrototxtError: ``num_axes`` below -1.
        ShapeError: shapes that do not match.

    Source: Caffe's bias_layer.
    """

    bottoms = Arity(1, 2)
    backward_reads_bottom = False

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        if len(bottom) == 1:
            self.add_param(learned_shape(self, bottom[0], "bias_param"),
                           self.param.bias_param.filler)

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        self._view = covered_view(self, bottom, self._bias(bottom), "bias_param", "bias")
        top[0].reshape_like(bottom[0])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        self.backend.elementwise.bias_add(
            bottom[0].data.reshape(self._view), self._bias(bottom).data.reshape(-1),
            top[0].data.reshape(self._view))

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        bias, dy = self._bias(bottom), top[0].diff
        if propagate_down[1] if len(bottom) == 2 else self.wants_param_diff(0):
            if len(bottom) == 2:
                bias.diff.fill(0)
            self.backend.elementwise.sum_to_channels(dy.reshape(self._view),
                                                     bias.diff.reshape(-1), self.backend.scratch)
        if propagate_down[0] and bottom[0] is not top[0]:
            bottom[0].diff[...] = dy

    def _bias(self, bottom: list[Blob]) -> Blob:
        return bottom[1] if len(bottom) == 2 else self.blobs[0]
