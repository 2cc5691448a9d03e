"""BatchReindex: pick, repeat and reorder the samples of a batch."""
from __future__ import annotations

from ..blob import Blob
from ..errors import CaffeError, NetError, ShapeError
from .base import Layer, exactly
from .common.labels import index_complaint


class BatchReindex(Layer):
    """``y[m] = x[index[m]]``: samples (axis 0) of bottom 0 by the indices in bottom 1, (M,).

    The gradient of a sample is the sum over the places where it was put.

    Raises:
        ShapeError: an index blob that has not one axis, or samples without a batch axis.
        LabelError: an index that is not a sample of the batch.
        NetError: the gradient of the indices is asked for.

    Source: Caffe's batch_reindex_layer.
    """

    bottoms = exactly(2)
    allows_in_place = False

    def allow_force_backward(self, bottom: int) -> bool:
        return bottom == 0

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        if len(bottom[1].shape) != 1:
            raise self.error(ShapeError, "the indices must have one axis", got=bottom[1].shape,
                             wanted="(M,)", at=("bottom", 1))
        if not bottom[0].shape:
            raise self.error(ShapeError, "there is no batch axis to pick from", got="()",
                             at=("bottom", 0))
        self._row = bottom[0].count_range(1)
        top[0].reshape(bottom[1].shape[0], *bottom[0].shape[1:])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        if top[0].count:
            self.backend.embed.forward(
                bottom[1].data, bottom[0].data.reshape(bottom[0].shape[0], self._row), None,
                top[0].data.reshape(-1, self._row), 0, self.context.scalars.status,
                self.backend.scratch)

    def complaint(self, bottom: list[Blob]) -> CaffeError | None:
        samples = bottom[0].shape[0]
        return index_complaint(self, bottom[1], "an index is not a sample of the batch", 0, samples,
                               f"0 to {samples - 1}", ("bottom", 1))

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if propagate_down[1]:
            raise self.error(NetError, "indices have no gradient", at=("bottom", 1),
                             remedy="Set propagate_down: true propagate_down: false.")
        if not propagate_down[0]:
            return
        bottom[0].diff.fill(0)
        if top[0].count:
            self.backend.embed.backward(bottom[1].data, top[0].diff.reshape(-1, self._row),
                                        bottom[0].diff.reshape(-1, self._row), None,
                                        self.backend.scratch)
