"""EuclideanLoss: half the mean squared distance."""
from __future__ import annotations

from ..blob import Blob
from .base import Layer, exactly
from .common.checks import same_batch, same_count


class EuclideanLoss(Layer):
    """``loss = sum((a - b)**2) / (2 N)`` for two bottoms of N samples each; 0-axis top.

    Both bottoms get a gradient, ``(a - b) / N`` and its negative.

    Raises:
        ShapeError: bottoms of different batch or sample sizes.

    Source: Caffe's euclidean_loss_layer.
    """

    bottoms = exactly(2)
    bottoms_are = "predictions, targets"
    is_loss = True
    backward_reads_bottom = False

    def allow_force_backward(self, bottom: int) -> bool:
        return True

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        self._difference = Blob(self.backend)

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        same_batch(self, bottom)
        same_count(self, bottom, 'type: "SoftmaxWithLoss"')
        self._difference.reshape_like(bottom[0])
        top[0].reshape()

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        difference = self._difference.data
        self.xp.subtract(bottom[0].data, bottom[1].data.reshape(difference.shape), out=difference)
        scratch = self.backend.scratch
        total = scratch.take((), "float64")
        self.backend.update.sum_of_squares(difference, total, scratch)
        self.xp.divide(total, 2 * bottom[0].shape[0], out=total)
        top[0].data[...] = total

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        scale = self.backend.scratch.take(())
        for blob, wanted, sign in zip(bottom, propagate_down, (1, -1), strict=True):
            if wanted:
                self.xp.divide(top[0].diff, sign * blob.shape[0], out=scale)
                self.xp.multiply(self._difference.data.reshape(blob.shape), scale, out=blob.diff)
