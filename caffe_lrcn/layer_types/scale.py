"""Scale: multiply along some axes, and add a bias."""
from __future__ import annotations

from ..blob import Blob
from ..errors import ShapeError
from ..proto import caffe_pb2
from .base import Arity, Layer
from .common.broadcast import covered_view, learned_shape


class Scale(Layer):
    """``y = x * s (+ b)`` with ``s`` and ``b`` spread over the other axes.

    With one bottom ``s`` is a parameter with the shape of ``num_axes`` axes of the bottom from
    ``axis`` on (-1: all; 0: one number); with two, it is bottom 1, whose shape must match bottom 0
    from ``axis`` on. Parameters: ``s`` (one bottom only), then ``b`` of the same shape if
    ``bias_term``.

    Raises:
        PrototxtError: ``num_axes`` below -1.
        ShapeError: shapes that do not match.

    Source: Caffe's scale_layer.
    """

    bottoms = Arity(1, 2)

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        param = self.param.scale_param
        if len(bottom) == 1:
            filler = (param.filler if param.HasField("filler")
                      else caffe_pb2.FillerParameter(type="constant", value=1))
            self.add_param(learned_shape(self, bottom[0], "scale_param"), filler)
        if param.bias_term:
            shape = bottom[1].shape if len(bottom) == 2 else self.blobs[0].shape
            self.add_param(shape, param.bias_filler)
        in_place = bottom[0] is top[0]
        self._kept = Blob(self.backend) if in_place else None
        self._product, self._sums = Blob(self.backend), Blob(self.backend)

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        scale = self._scale(bottom)
        self._view = covered_view(self, bottom, scale, "scale_param", "scale")
        if self.param.scale_param.bias_term and self.blobs[-1].count != scale.count:
            raise self.error(ShapeError, "the bias does not fit the scale", got=scale.shape,
                             wanted=self.blobs[-1].shape, at=("bottom", len(bottom) - 1))
        top[0].reshape_like(bottom[0])
        for blob in filter(None, (self._kept, self._product)):
            blob.reshape_like(bottom[0])
        self._sums.reshape(scale.count)

    def multiply_adds(self, bottom: list[Blob], top: list[Blob]) -> int:
        return top[0].count

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        if self._kept:
            self._kept.data[...] = bottom[0].data
        bias = self.blobs[-1].data.reshape(-1) if self.param.scale_param.bias_term else None
        self.backend.elementwise.channel_scale(
            bottom[0].data.reshape(self._view), self._scale(bottom).data.reshape(-1), bias,
            top[0].data.reshape(self._view))

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        ops, dy = self.backend.elementwise, top[0].diff.reshape(self._view)
        if self.param.scale_param.bias_term and self.wants_param_diff(len(self.blobs) - 1):
            ops.sum_to_channels(dy, self.blobs[-1].diff.reshape(-1), self.backend.scratch)
        scale = self._scale(bottom)
        if propagate_down[1] if len(bottom) == 2 else self.wants_param_diff(0):
            x = (self._kept or bottom[0]).data
            self.xp.multiply(x, top[0].diff, out=self._product.data)
            sums = self._sums.data
            sums.fill(0)
            ops.sum_to_channels(self._product.data.reshape(self._view), sums,
                                self.backend.scratch)
            d_scale = scale.diff.reshape(-1)
            if len(bottom) == 2:
                d_scale[...] = sums
            else:
                d_scale += sums
        if propagate_down[0]:
            ops.channel_scale(dy, scale.data.reshape(-1), None,
                              bottom[0].diff.reshape(self._view))

    def _scale(self, bottom: list[Blob]) -> Blob:
        return bottom[1] if len(bottom) == 2 else self.blobs[0]
