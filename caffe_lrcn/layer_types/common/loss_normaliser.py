"""What LossParameter says: which targets count, and what the summed loss is divided by."""
from __future__ import annotations

from typing import Any

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


def normaliser(layer: Layer, mode: int, outer: int, inner: int, valid: Any) -> Any:
    """Return the divisor of a loss, at least 1, without waiting for the device.

    Args:
        outer, inner: numbers of samples and of targets a sample: FULL is their product,
            BATCH_SIZE the former.
        valid: number of targets that count, a 0-d array of the backend.
    """
    if mode == VALID:
        return layer.xp.maximum(valid, 1)
    return max({FULL: outer * inner, BATCH_SIZE: outer, NONE: 1}[mode], 1)
