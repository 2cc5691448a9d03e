"""HingeLoss: one-versus-all margins."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from ..errors import CaffeError
from .base import Layer, exactly
from .common.checks import refuse_label_gradient, same_batch
from .common.labels import class_labels, label_complaint, one_label_a_sample


class HingeLoss(Layer):
    """``loss = sum(m) / N`` (``norm: L1``) or ``sum(m**2) / N`` (L2) over all margins m.

    ``m = max(0, 1 - x)`` at the label's score and ``max(0, 1 + x)`` at all others. Bottoms:
    scores (N, ...), whose axes after the first count through the classes, and N labels. Top: the
    loss, a 0-axis blob. Gradient: ``sign(m) / N`` or ``2 m / N``, negative at the label; a margin
    of exactly 0 has none.

    Raises:
        ShapeError: scores and labels do not match.
        LabelError: a label that is not a class.
        NetError: the gradient of the labels is asked for.

    Source: Caffe's hinge_loss_layer.
    """

    bottoms = exactly(2)
    bottoms_are = "scores, labels"
    is_loss = True

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        norm = self.param.hinge_loss_param.norm
        self._squared = norm == self.param.hinge_loss_param.L2
        self._margins = Blob(self.backend)

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        same_batch(self, bottom)
        one_label_a_sample(self, bottom)
        self._margins.reshape(bottom[0].shape[0], bottom[0].count_range(1))
        top[0].reshape()

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        margins = self._margins.data
        margins[...] = bottom[0].data.reshape(margins.shape)
        self._negate_chosen(margins, bottom)
        margins += 1
        self.xp.maximum(margins, 0, out=margins)
        update, total = self.backend.update, self.backend.scratch.take((), "float64")
        add_up = update.sum_of_squares if self._squared else update.sum_of_elements
        add_up(margins, total, self.backend.scratch)
        self.xp.divide(total, len(margins), out=total)
        top[0].data[...] = total

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        refuse_label_gradient(self, propagate_down)
        if not propagate_down[0]:
            return
        margins = self._margins.data
        diff = bottom[0].diff.reshape(margins.shape)
        if self._squared:
            self.xp.multiply(margins, 2, out=diff)
        else:
            self.xp.sign(margins, out=diff)
        self._negate_chosen(diff, bottom)
        diff *= self.xp.divide(top[0].diff, len(margins), out=self.backend.scratch.take(()))

    def complaint(self, bottom: list[Blob]) -> CaffeError | None:
        return label_complaint(self, bottom[1], self._margins.shape[1])

    def _negate_chosen(self, rows: Any, bottom: list[Blob]) -> None:
        """Change the sign of the element at the label in each row."""
        ops, scratch = self.backend.softmax_loss, self.backend.scratch
        labels = class_labels(self, bottom[1], rows.shape[1]).reshape(-1, 1)
        chosen = scratch.take(labels.shape)
        ops.read_classes(rows[:, :, None], labels, chosen, scratch)
        self.xp.negative(chosen, out=chosen)
        ops.write_classes(rows[:, :, None], labels, chosen, scratch)
