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
    is_loss = True

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        same_batch(self, bottom)
        one_label_a_sample(self, bottom)
        top[0].reshape()

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        prob = self._rows(bottom[0], bottom[0].data)
        self._chosen = self.xp.maximum(prob[self._picked(bottom)], LEAST_PROBABILITY)
        top[0].data[...] = -self.xp.log(self._chosen).sum(dtype="float64") / len(prob)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        refuse_label_gradient(self, propagate_down)
        if not propagate_down[0]:
            return
        diff = self._rows(bottom[0], bottom[0].diff)
        diff.fill(0)
        # CAFFE-QUIRK: below 1e-20 the loss is constant, yet its gradient is taken as at 1e-20.
        diff[self._picked(bottom)] = -top[0].diff / (len(diff) * self._chosen)

    def complaint(self, bottom: list[Blob]) -> CaffeError | None:
        return label_complaint(self, bottom[1], bottom[0].count_range(1))

    def _picked(self, bottom: list[Blob]) -> tuple[Any, Any]:
        """Return rows and columns of the labels' probabilities; a bad label's is the last."""
        labels = class_labels(self, bottom[1], bottom[0].count_range(1)).reshape(-1)
        return self.xp.arange(labels.size), labels

    @staticmethod
    def _rows(blob: Blob, array: Any) -> Any:
        return array.reshape(blob.shape[0], blob.count_range(1))
