"""PReLU: rectifiers whose leak is learnt."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from ..errors import ShapeError
from ..proto import caffe_pb2
from .base import Layer


class PReLU(Layer):
    """``y = max(x, 0) + a * min(x, 0)`` with one ``a`` a channel (axis 1), or one for all.

    Bottom: (N, C, ...). Parameter: ``a``, (C,), or () if ``channel_shared``; 0.25 at the start
    unless a filler is given.

    Raises:
        ShapeError: fewer than two axes, or a channel count that changes later.

    Source: Caffe's prelu_layer; He et al., "Delving deep into rectifiers".
    """

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        param = self.param.prelu_param
        self._check_axes(bottom[0])
        filler = (param.filler if param.HasField("filler")
                  else caffe_pb2.FillerParameter(type="constant", value=0.25))
        self.add_param(() if param.channel_shared else bottom[0].shape[1:2], filler)
        self._kept = Blob(self.backend) if bottom[0] is top[0] else None

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        self._check_axes(bottom[0])
        channels = self.blobs[0].shape
        if channels and bottom[0].shape[1] != channels[0]:
            raise self.error(ShapeError, "the number of channels has changed",
                             got=bottom[0].shape[1], wanted=channels[0], at=("bottom", 0))
        top[0].reshape_like(bottom[0])
        if self._kept:
            self._kept.reshape_like(bottom[0])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        if self._kept:
            self._kept.data[...] = bottom[0].data
        self.backend.elementwise.prelu_forward(_by_channel(bottom[0].data),
                                               self.blobs[0].data.reshape(-1),
                                               _by_channel(top[0].data), self.backend.scratch)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        x = self._kept or bottom[0]
        slope = self.blobs[0]
        self.backend.elementwise.prelu_backward(
            _by_channel(x.data), _by_channel(top[0].diff), slope.data.reshape(-1),
            _by_channel(bottom[0].diff) if propagate_down[0] else None,
            slope.diff.reshape(-1) if self.wants_param_diff(0) else None,
            self.backend.scratch)

    def _check_axes(self, bottom: Blob) -> None:
        if len(bottom.shape) < 2:
            raise self.error(ShapeError, "the bottom needs a channel axis", got=bottom.shape,
                             wanted="(N, C, ...)", at=("bottom", 0))


def _by_channel(array: Any) -> Any:
    inner = 1
    for size in array.shape[2:]:
        inner *= size
    return array.reshape(*array.shape[:2], inner)
