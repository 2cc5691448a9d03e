"""SoftmaxWithLoss: softmax and multinomial logistic loss in one."""
from __future__ import annotations

from ..blob import Blob
from ..errors import CaffeError
from .base import Arity, Layer, exactly
from .common.checks import (
    axis_of,
    label_count,
    refuse_label_gradient,
    same_batch,
    scores_first,
)
from .common.labels import label_complaint
from .common.loss_normaliser import VALID, LossSum, ignored_label, normalization_mode


class SoftmaxWithLoss(Layer):
    """``loss = -sum(log(softmax(x)[label])) / normaliser``.

    Bottoms: scores, with the classes along ``softmax_param.axis`` (LRCN: (T, N, V), axis 2), and
    one label for each score vector (T, N). Tops: the loss, a 0-axis blob, and optionally the
    probabilities. ``loss_param`` gives ``ignore_label`` and the normaliser: all labels (FULL),
    those not ignored (VALID, the default), the product of the axes before the classes
    (BATCH_SIZE), or 1 (NONE); it is at least 1. ``normalize`` is an older way to say VALID (true)
    or BATCH_SIZE (false).

    Raises:
        ShapeError: scores and labels do not match.
        LabelError: a label that is neither a class nor ignored.
        NetError: the gradient of the labels is asked for.

    Source: Caffe's softmax_loss_layer.
    """

    bottoms = exactly(2)
    bottoms_are = "scores, labels"
    tops = Arity(1, 2)
    is_loss = True

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        self._ignore = ignored_label(self)
        self._loss = LossSum(self, normalization_mode(self, VALID))
        self._prob = Blob(self.backend)
        if len(top) == 2:
            self._prob.share_data(top[1])

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        scores_first(self, bottom)
        axis = axis_of(self, bottom[0], self.param.softmax_param.axis, "softmax_param", "axis")
        same_batch(self, bottom)
        outer, channels, inner = label_count(self, bottom, axis)
        self._view, self._label_view = (outer, channels, inner), (outer, inner)
        self._prob.reshape_like(bottom[0])
        top[0].reshape()
        if len(top) == 2:
            top[1].reshape_like(bottom[0])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        ops, prob = self.backend.softmax_loss, self._prob.data.reshape(self._view)
        ops.softmax_forward(bottom[0].data.reshape(self._view), prob, self.backend.scratch)
        ops.loss_forward(prob, bottom[1].data.reshape(self._label_view), self._ignore,
                         self._loss.total, self._loss.valid, self.context.scalars.status,
                         self.backend.scratch)
        self._loss.divide(*self._label_view, top[0])

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        refuse_label_gradient(self, propagate_down)
        if not propagate_down[0]:
            return
        # CAFFE-QUIRK: a gradient that reaches the probabilities, top 1, is not used.
        self.backend.softmax_loss.loss_backward(
            self._prob.data.reshape(self._view), bottom[1].data.reshape(self._label_view),
            self._ignore, self._loss.factor(top[0]), bottom[0].diff.reshape(self._view),
            self.backend.scratch)

    def complaint(self, bottom: list[Blob]) -> CaffeError | None:
        return label_complaint(
            self, bottom[1], self._view[1], self._ignore,
            "Set num_output of the layer below to the number of classes, or loss_param "
            "{ ignore_label } for labels that are padding.")
