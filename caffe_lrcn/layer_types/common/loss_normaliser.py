"""What LossParameter says: which targets count, and what the summed loss is divided by."""
from __future__ import annotations

from typing import Any

from ...blob import Blob
from ...proto import caffe_pb2
from ..base import Layer

FULL, VALID, BATCH_SIZE, NONE = (caffe_pb2.LossParameter.NormalizationMode.Value(name)
                                 for name in ("FULL", "VALID", "BATCH_SIZE", "NONE"))


def ignored_label(layer: Layer) -> int | None:
    """Return the label that does not count, or None if all do."""
    loss = layer.param.loss_param
    return loss.ignore_label if loss.HasField("ignore_label") else None


def normalization_mode(layer: Layer, default: int) -> int:
    """Return the mode: ``normalization``, else the older ``normalize``, else ``default``.

    ``normalize`` is true for VALID and false for BATCH_SIZE.
    """
    loss = layer.param.loss_param
    if loss.HasField("normalization"):
        return loss.normalization
    if loss.HasField("normalize"):
        return VALID if loss.normalize else BATCH_SIZE
    return default


class LossSum:
    """A loss that is summed up and then divided, in 0-d arrays of the backend.

    A forward pass writes ``total``, the sum, and ``valid``, the number of targets that count.

    Args:
        mode: what it is divided by, at least 1: the number of samples (BATCH_SIZE), of all targets
            (FULL), of those that count (VALID), or nothing (NONE).
        dtype: type of ``total`` and ``valid``, and of ``factor`` where the mode is VALID; default:
            the backend's.
    """

    def __init__(self, layer: Layer, mode: int, dtype: Any = None) -> None:
        self._xp, self._mode = layer.xp, mode
        sums = layer.backend.zeros(3, dtype)
        self.total, self.valid, self._divisor = (sums[i:i + 1].reshape(()) for i in range(3))
        # A quotient by a number that is counted is as precise as that number.
        self._factor = layer.backend.zeros(1, dtype if mode == VALID else None).reshape(())

    def divide(self, outer: int, inner: int, top: Blob) -> None:
        """Write the loss; ``outer`` and ``inner`` are numbers of samples and targets a sample."""
        if self._mode == VALID:
            self._xp.maximum(self.valid, 1, out=self._divisor)
        else:
            divisor = {FULL: outer * inner, BATCH_SIZE: outer, NONE: 1}[self._mode]
            self._divisor.fill(max(divisor, 1))
        self._xp.divide(self.total, self._divisor, out=top.data)

    def factor(self, top: Blob) -> Any:
        """Return the gradient of the loss over its divisor, 0-d."""
        return self._xp.divide(top.diff, self._divisor, out=self._factor)
