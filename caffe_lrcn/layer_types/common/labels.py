"""Class labels as indices, for the losses that look one element up in each row of scores."""
from __future__ import annotations

from typing import Any

import numpy as np

from ...blob import Blob
from ...errors import LabelError, ShapeError
from ..base import Layer
from .checks import scores_first

#: Least probability whose logarithm is taken (SoftmaxWithLoss has another, FLT_MIN).
LEAST_PROBABILITY = 1e-20


def class_labels(layer: Layer, label: Blob, classes: int, ignore: int | None = None) -> Any:
    """Return the class of each label, an int32 array from ``scratch`` of the labels' shape.

    It is -1 where a label does not count. One that is neither a class nor ignored sets a bit of
    the status word; ``label_complaint`` then names it.

    Args:
        label: of any shape; fractions are cut off.
        classes: number of classes.
        ignore: labels that do not count, or None.
    """
    picked = layer.backend.scratch.take(label.shape, np.int32)
    layer.backend.softmax_loss.class_indices(label.data, classes, ignore, picked,
                                             layer.context.scalars.status, layer.backend.scratch)
    return picked


def label_complaint(layer: Layer, label: Blob, classes: int, ignore: int | None = None,
                    remedy: str = "Let the layer below give one score per class.",
                    ) -> LabelError | None:
    """Return what is wrong with the labels, bottom 1, or None.

    Args: as for ``class_labels``.
    """
    given = label.read_data().reshape(-1)
    with np.errstate(invalid="ignore"):  # NaN becomes a number far out of range
        whole = given.astype(np.intp)
    wrong = ((whole < 0) | (whole >= classes)) & (whole != ignore)
    if not wrong.any():
        return None
    # CAFFE-QUIRK, mended: Caffe reads outside the row, or looks at ignore_label too late.
    first = wrong.argmax()
    return layer.error(LabelError,
                       f"a label is not a class (number {first} of labels of shape {label.shape})",
                       got=f"{given[first]:g}", wanted=f"0 to {classes - 1}", at=("bottom", 1),
                       remedy=remedy)


def index_complaint(layer: Layer, index: Blob, message: str, least: int, end: int, wanted: str,
                    at: tuple, remedy: str | None = None) -> LabelError | None:
    """Return an error that names the first index outside [least, end), or None.

    Args:
        index: of any shape; fractions are cut off.
        message, wanted, at, remedy: parts of the error.
    """
    given = index.read_data().reshape(-1)
    wrong = ~((given > least - 1) & (given < end))  # NaN is wrong, too
    if not wrong.any():
        return None
    return layer.error(LabelError, message, got=f"{given[wrong.argmax()]:g}", wanted=wanted, at=at,
                       remedy=remedy)


def one_label_a_sample(layer: Layer, bottom: list[Blob]) -> None:
    """Check that bottom 1 holds one label for each sample of bottom 0.

    Raises:
        ShapeError: it does not, or there are no classes.
    """
    scores_first(layer, bottom)
    if bottom[1].count != bottom[0].shape[0]:
        raise layer.error(ShapeError, "there must be one label for each sample",
                          got=bottom[1].shape, wanted=f"{bottom[0].shape[0]} labels",
                          at=("bottom", 1),
                          remedy="All axes of the scores but the first are classes.")
    if bottom[1].count and not bottom[0].count:
        raise layer.error(ShapeError, "there are no classes", got=bottom[0].shape,
                          wanted="scores of at least one class", at=("bottom", 0))
