"""ContrastiveLoss: draw similar pairs together, push others apart."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from ..errors import NetError, ShapeError
from .base import Layer, exactly
from .common.checks import same_batch


class ContrastiveLoss(Layer):
    """``loss = sum(d**2 if similar else max(margin - d, 0)**2) / (2 N)`` with ``d = |a - b|``.

    Bottoms: a and b (N, ...), and N marks. A mark that is 0 once its fraction is cut off means
    "not similar". Top: the loss, a 0-axis blob. With ``legacy_version`` pairs that are not similar
    cost ``max(margin - d**2, 0)``. Gradient for a: ``(a - b) / N`` for similar pairs, for others
    inside the margin ``-(margin - d) / (d + 1e-4) (a - b) / N`` or, legacy, ``-(a - b) / N``; for
    b its negative.

    Raises:
        ShapeError: bottoms of different batch or sample sizes.
        NetError: the gradient of the marks is asked for.

    Source: Caffe's contrastive_loss_layer; Hadsell et al., "Dimensionality reduction by learning
    an invariant mapping".
    """

    bottoms = exactly(3)
    bottoms_are = "features, features of the partner, whether the two are alike"
    is_loss = True
    # CAFFE-QUIRK: keeps the gradient finite at d = 0 and makes it a little too small elsewhere.
    stabiliser = 1e-4

    def allow_force_backward(self, bottom: int) -> bool:
        return bottom != 2

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        param = self.param.contrastive_loss_param
        self._margin, self._legacy = param.margin, param.legacy_version
        self._difference, self._squares = Blob(self.backend), Blob(self.backend)
        self._inside = Blob(self.backend)  # how far unlike pairs lie within the margin

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        same_batch(self, bottom)
        if bottom[0].count != bottom[1].count:
            raise self.error(ShapeError, "the two bottoms differ in the size of a sample",
                             got=f"{bottom[0].shape} and {bottom[1].shape}", at=("bottom", 1))
        if bottom[2].count != bottom[0].shape[0]:
            raise self.error(ShapeError, "there must be one mark for each pair",
                             got=bottom[2].shape, wanted=f"{bottom[0].shape[0]} marks",
                             at=("bottom", 2))
        self._difference.reshape(bottom[0].shape[0], bottom[0].count_range(1))
        self._squares.reshape(bottom[0].shape[0])
        self._inside.reshape(bottom[0].shape[0])
        top[0].reshape()

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        xp, difference = self.xp, self._difference.data
        xp.subtract(bottom[0].data.reshape(difference.shape),
                    bottom[1].data.reshape(difference.shape), out=difference)
        take, squares, inside = self.backend.scratch.take, self._squares.data, self._inside.data
        product = xp.multiply(difference, difference, out=take(difference.shape))
        squares.fill(0)
        self.backend.elementwise.sum_to_channels(product[None], squares, self.backend.scratch)
        inside[...] = squares
        if not self._legacy:
            xp.sqrt(inside, out=inside)
        xp.maximum(xp.subtract(self._margin, inside, out=inside), 0, out=inside)
        terms = take(squares.shape)
        xp.multiply(inside, 1 if self._legacy else inside, out=terms)
        xp.copyto(terms, squares, where=self._similar(bottom))
        total = take((), "float64")
        self.backend.update.sum_of_elements(terms, total, self.backend.scratch)
        xp.divide(total, 2 * len(difference), out=total)
        top[0].data[...] = total

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if propagate_down[2]:
            raise self.error(NetError, f"{self.type} has no gradient with respect to the marks",
                             at=("bottom", 2),
                             remedy="Feed them from data, or set propagate_down: false for them.")
        if not any(propagate_down):
            return
        difference = self._difference.data
        slope, signed = self._slope(bottom), self.backend.scratch.take(len(difference))
        slope *= self.xp.divide(top[0].diff, len(difference), out=self.backend.scratch.take(()))
        for blob, wanted, sign in zip(bottom, propagate_down, (1, -1, 0), strict=True):
            if wanted:
                self.xp.multiply(slope, sign, out=signed)
                self.xp.multiply(difference, signed[:, None],
                                 out=blob.diff.reshape(difference.shape))

    def _similar(self, bottom: list[Blob]) -> Any:
        """Return which pairs are alike, (N,)."""
        marks = bottom[2].data.reshape(-1)
        whole = self.xp.trunc(marks, out=self.backend.scratch.take(marks.shape))
        return self.xp.not_equal(whole, 0, out=self.backend.scratch.take(marks.shape, bool))

    def _slope(self, bottom: list[Blob]) -> Any:
        """Return each pair's factor of ``a - b`` in the gradient for a, (N,)."""
        # CAFFE-QUIRK, mended: Caffe's legacy gradient in CUDA leaves the difference out.
        xp, inside = self.xp, self._inside.data
        slope, distance = (self.backend.scratch.take(inside.shape) for _ in range(2))
        if self._legacy:
            xp.sign(inside, out=slope)
        else:
            xp.add(xp.sqrt(self._squares.data, out=distance), self.stabiliser, out=distance)
            xp.divide(inside, distance, out=slope)
        xp.negative(slope, out=slope)
        xp.copyto(slope, 1, where=self._similar(bottom))
        return slope
