"""SigmoidCrossEntropyLoss: any number of yes-or-no questions about each sample."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from ..proto import caffe_pb2
from .base import Layer, exactly
from .checks import refuse_label_gradient, same_batch

_FULL, _VALID, _BATCH_SIZE, _NONE = (caffe_pb2.LossParameter.NormalizationMode.Value(name)
                                     for name in ("FULL", "VALID", "BATCH_SIZE", "NONE"))


class SigmoidCrossEntropyLoss(Layer):
    """``loss = -sum(t log(p) + (1 - t) log(1 - p)) / normaliser`` with ``p = sigmoid(x)``.

    Bottoms: scores x and targets t, as many of them, usually 0 or 1. Top: the loss, a 0-axis blob.
    ``loss_param`` gives ``ignore_label``, for targets that do not count (compared after cutting
    off fractions), and the normaliser: all elements (FULL), those that count (VALID), the batch
    size (BATCH_SIZE, the default), or 1 (NONE); it is at least 1. ``normalize`` is an older way to
    say VALID (true) or BATCH_SIZE (false). The gradient is ``p - t`` over the normaliser.

    Raises:
        ShapeError: scores and targets do not match.
        NetError: the gradient of the targets is asked for.

    Source: Caffe's sigmoid_cross_entropy_loss_layer.
    """

    bottoms = exactly(2)
    is_loss = True

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        loss = self.param.loss_param
        self._ignore = loss.ignore_label if loss.HasField("ignore_label") else None
        self._normalization = _BATCH_SIZE
        if loss.HasField("normalization"):
            self._normalization = loss.normalization
        elif loss.HasField("normalize"):
            self._normalization = _VALID if loss.normalize else _BATCH_SIZE

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        same_batch(self, bottom)
        if bottom[0].count != bottom[1].count:
            raise self.error("there must be one target for each score", at=("bottom", 1),
                             got=f"{bottom[0].shape} and {bottom[1].shape}")
        top[0].reshape()

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        xp, x = self.xp, bottom[0].data
        target = bottom[1].data.reshape(x.shape)
        # -log(sigmoid(x)) = max(-x, 0) + log(1 + exp(-|x|)), where no exponential overflows.
        losses = xp.maximum(x, 0) - x * target + xp.log1p(xp.exp(-xp.abs(x)))
        kept = self._kept(target)
        if kept is not None:
            losses *= kept
        self._normaliser = self._normaliser_of(x, kept)
        xp.divide(losses.sum(), self._normaliser, out=top[0].data)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        refuse_label_gradient(self, propagate_down)
        if not propagate_down[0]:
            return
        x, dx = bottom[0].data, bottom[0].diff
        target = bottom[1].data.reshape(x.shape)
        self.backend.elementwise.sigmoid_forward(x, dx)
        dx -= target
        dx *= top[0].diff / self._normaliser
        kept = self._kept(target)
        if kept is not None:
            dx *= kept

    def _kept(self, target: Any) -> Any | None:
        """Return where targets count, or None if all do."""
        if self._ignore is None:
            return None
        return self.xp.trunc(target) != self._ignore

    def _normaliser_of(self, x: Any, kept: Any | None) -> Any:
        """Return the normaliser, at least 1, without waiting for the device."""
        if self._normalization == _VALID and kept is not None:
            return self.xp.maximum(kept.sum(), 1)
        sizes = {_FULL: x.size, _VALID: x.size, _BATCH_SIZE: x.shape[0], _NONE: 1}
        return max(sizes[self._normalization], 1)
