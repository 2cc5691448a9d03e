"""Class labels as indices, for the losses that look one element up in each row of scores."""
from __future__ import annotations

from typing import Any

import numpy as np

from ...blob import Blob
from ...errors import LabelError
from ..base import Layer

#: Least probability whose logarithm is taken (SoftmaxWithLoss has another, FLT_MIN).
LEAST_PROBABILITY = 1e-20


def class_labels(layer: Layer, label: Blob, classes: int,
                 ignore: int | None = None) -> tuple[Any, Any]:
    """Return the positions of the labels that count and their classes, arrays of the backend.

    Args:
        label: of any shape, bottom 1; positions count through it. Fractions are cut off.
        classes: number of classes.
        ignore: labels that do not count, or None.

    Raises:
        LabelError: a label outside [0, classes) that is not ignored.
    """
    given = layer.backend.download(label.data).reshape(-1)
    with np.errstate(invalid="ignore"):  # NaN becomes a number far out of range
        whole = given.astype(np.intp)
    rows = np.arange(whole.size) if ignore is None else np.flatnonzero(whole != ignore)
    picked = whole[rows]
    wrong = (picked < 0) | (picked >= classes)
    if wrong.any():
        # CAFFE-QUIRK, mended: Caffe reads outside the row, or looks at ignore_label too late.
        first = rows[wrong.argmax()]
        raise layer.error(
            f"a label is no class (number {first} of labels of shape {label.shape})",
            kind=LabelError, got=f"{given[first]:g}", wanted=f"0 to {classes - 1}",
            at=("bottom", 1), remedy="Let the layer below give one score a class.")
    return layer.backend.upload(rows), layer.backend.upload(picked)


def one_label_a_sample(layer: Layer, bottom: list[Blob]) -> None:
    """Check that bottom 1 holds one label for each sample of bottom 0.

    Raises:
        ShapeError: it does not.
    """
    if bottom[1].count != bottom[0].shape[0]:
        raise layer.error("there must be one label for each sample", got=bottom[1].shape,
                          wanted=f"{bottom[0].shape[0]} labels", at=("bottom", 1),
                          remedy="All axes of the scores but the first are classes.")
