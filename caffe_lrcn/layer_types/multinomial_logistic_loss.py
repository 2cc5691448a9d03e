"""MultinomialLogisticLoss: the negative logarithm of given probabilities."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from ..errors import CaffeError
from .base import Layer, exactly
from .common.checks import refuse_label_gradient, same_batch
from .common.labels import LEAST_PROBABILITY, class_labels, label_complaint, one_label_a_sample


class MultinomialLogisticLoss(Layer):
    """``loss = -sum(log(max(p[label], 1e-20))) / N`` for probabilities p of N samples.

    Bottoms: probabilities (N, ...), whose axes after the first count through the classes, and N
    labels. Top: the loss, a 0-axis blob. Gradient: ``-1 / (N max(p, 1e-20))`` at the label, 0
    elsewhere. SoftmaxWithLoss, which has the softmax inside, is the more accurate of the two.

    Raises:
        ShapeError: probabilities and labels do not match.
        LabelError: a label that is not a class.
        NetError: the gradient of the labels is asked for.

    Source: Caffe's multinomial_logistic_loss_layer.
    """

    bottoms = exactly(2)
    bottoms_are = "scores, labels"
    is_loss = True

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        self._chosen = Blob(self.backend)  # the labels' probabilities

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        same_batch(self, bottom)
        one_label_a_sample(self, bottom)
        self._view = bottom[0].shape[0], bottom[0].count_range(1), 1
        self._chosen.reshape(bottom[0].shape[0], 1)
        top[0].reshape()

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        xp, chosen, scratch = self.xp, self._chosen.data, self.backend.scratch
        self.backend.softmax_loss.read_classes(bottom[0].data.reshape(self._view),
                                               self._labels(bottom), chosen, scratch)
        xp.maximum(chosen, LEAST_PROBABILITY, out=chosen)
        terms = xp.log(chosen, out=scratch.take(chosen.shape))
        total = scratch.take((), "float64")
        self.backend.update.sum_of_elements(terms, total, scratch)
        xp.divide(total, -len(chosen), out=total)
        top[0].data[...] = total

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        refuse_label_gradient(self, propagate_down)
        if not propagate_down[0]:
            return
        chosen, scratch = self._chosen.data, self.backend.scratch
        bottom[0].diff.fill(0)
        # CAFFE-QUIRK: below 1e-20 the loss is constant, yet its gradient is taken as at 1e-20.
        slopes = self.xp.multiply(chosen, -len(chosen), out=scratch.take(chosen.shape))
        self.xp.divide(top[0].diff, slopes, out=slopes)
        self.backend.softmax_loss.write_classes(bottom[0].diff.reshape(self._view),
                                                self._labels(bottom), slopes, scratch)

    def complaint(self, bottom: list[Blob]) -> CaffeError | None:
        return label_complaint(self, bottom[1], self._view[1])

    def _labels(self, bottom: list[Blob]) -> Any:
        return class_labels(self, bottom[1], self._view[1]).reshape(-1, 1)
