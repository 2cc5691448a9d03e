"""SigmoidCrossEntropyLoss: sigmoid and cross entropy in one, each element on its own."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from .base import Layer, exactly
from .common.checks import refuse_label_gradient, same_batch, same_count
from .common.loss_normaliser import BATCH_SIZE, LossSum, ignored_label, normalization_mode


class SigmoidCrossEntropyLoss(Layer):
    """``loss = -sum(t log(s) + (1 - t) log(1 - s)) / normaliser`` with ``s = sigmoid(x)``.

    Bottoms: x and the targets t, mostly in [0, 1]; the same number of elements, N along axis 0.
    Tops: the loss, a 0-axis blob. ``loss_param`` gives ``ignore_label``, compared with the targets
    cut to integers, and the normaliser: N (BATCH_SIZE, the default), all elements (FULL), those
    not ignored (VALID), or 1 (NONE); it is at least 1. ``normalize`` is an older way to say VALID
    (true) or BATCH_SIZE (false).
    Gradient: ``dx = (s - t) / normaliser``, 0 where ignored.

    Raises:
        ShapeError: x and the targets do not match.
        NetError: the gradient of the targets is asked for.

    Source: Caffe's sigmoid_cross_entropy_loss_layer.
    """

    bottoms = exactly(2)
    bottoms_are = "scores, targets"
    is_loss = True

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        self._ignore = ignored_label(self)
        self._loss = LossSum(self, normalization_mode(self, BATCH_SIZE), "float64")
        self._work = Blob(self.backend)

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        same_batch(self, bottom)
        same_count(self, bottom, 'type: "SoftmaxWithLoss"')
        self._work.reshape_like(bottom[0])
        top[0].reshape()

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Sum ``max(x, 0) - x t + log(1 + exp(-|x|))``, in which no exponential overflows."""
        xp, x, add_up = self.xp, bottom[0].data, self.backend.update.sum_of_elements
        target, work, term = self._target(bottom), self._work.data, self._work.diff
        xp.abs(x, out=work)
        xp.negative(work, out=work)
        xp.exp(work, out=work)
        xp.log1p(work, out=work)
        xp.maximum(x, 0, out=term)
        work += term
        xp.multiply(x, target, out=term)
        work -= term
        if self._ignore is None:
            self._loss.valid.fill(x.size)
        else:
            ignored = self._ignored(target)
            xp.copyto(work, 0, where=ignored)
            term[...] = ignored
            add_up(term, self._loss.valid, self.backend.scratch)
            xp.subtract(x.size, self._loss.valid, out=self._loss.valid)
        # CAFFE-QUIRK, mended: Caffe's CUDA code sums absolute values, which is wrong for targets
        # outside [0, 1].
        add_up(work, self._loss.total, self.backend.scratch)
        self._loss.divide(x.shape[0], bottom[0].count_range(1), top[0])

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        refuse_label_gradient(self, propagate_down)
        if not propagate_down[0]:
            return
        target, diff = self._target(bottom), bottom[0].diff
        self.backend.elementwise.sigmoid_forward(bottom[0].data, diff)
        diff -= target
        if self._ignore is not None:
            self.xp.copyto(diff, 0, where=self._ignored(target))
        diff *= self._loss.factor(top[0])

    def _ignored(self, target: Any) -> Any:
        """Return which targets do not count, from scratch."""
        take = self.backend.scratch.take
        whole = self.xp.trunc(target, out=take(target.shape))
        return self.xp.equal(whole, self._ignore, out=take(target.shape, bool))

    @staticmethod
    def _target(bottom: list[Blob]) -> Any:
        return bottom[1].data.reshape(bottom[0].shape)
