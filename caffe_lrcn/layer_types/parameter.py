"""Parameter: a learned blob as a top."""
from __future__ import annotations

from ..blob import Blob
from .base import Layer, exactly


class Parameter(Layer):
    """A top that is the layer's parameter itself, of ``shape``; zeros at the start.

    The top has the parameter's storage, so a layer that works in place on it changes the
    parameter, and what other layers see of it under a shared name. The gradient is the top's.

    Source: Caffe's parameter_layer.
    """

    bottoms = exactly(0)

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        blob = self.add_param(tuple(self.param.parameter_param.shape.dim))
        top[0].reshape_like(blob)
        top[0].data[...] = blob.data
        # The top's storage stays: blobs that alias it, such as those of a Split, are bound to it.
        blob.share_data(top[0])

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        top[0].reshape_like(self.blobs[0])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        # A parameter of another net lives there.
        if not top[0].shares_data_with(self.blobs[0]):
            top[0].data[...] = self.blobs[0].data

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if not self.wants_param_diff(0):
            return
        if self.context.settings.strict:
            # CAFFE-QUIRK: the gradient of each pass replaces that of the pass before (iter_size).
            self.blobs[0].diff[...] = top[0].diff
        else:
            self.blobs[0].diff[...] += top[0].diff
