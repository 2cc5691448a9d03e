"""Softmax along the middle axis of (outer, C, inner) arrays, and its logistic loss."""
from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import LabelError
from .blocks import rows_per_block

#: Least probability whose logarithm is taken (FLT_MIN, in float64 too).
_LEAST = float(np.finfo(np.float32).tiny)


@np.errstate(over="ignore", invalid="ignore")
def softmax_forward(x: np.ndarray, y: np.ndarray) -> None:
    """Write ``y = exp(x - max) / sum``; ``y`` may be ``x``. Source: Caffe's softmax_layer."""
    step = rows_per_block(x)
    for start in range(0, len(x), step):
        x_, y_ = x[start:start + step], y[start:start + step]
        np.subtract(x_, x_.max(axis=1, keepdims=True), out=y_)
        np.exp(y_, out=y_)
        y_ /= y_.sum(axis=1, keepdims=True)


def softmax_backward(y: np.ndarray, dy: np.ndarray, dx: np.ndarray) -> None:
    """Write ``dx = (dy - sum(dy * y)) * y``, the sum along the channels; ``dx`` may be ``dy``."""
    step = rows_per_block(y)
    for start in range(0, len(y), step):
        rows = slice(start, start + step)
        dot = (dy[rows] * y[rows]).sum(axis=1, keepdims=True)
        np.subtract(dy[rows], dot, out=dx[rows])
        dx[rows] *= y[rows]


def loss_forward(prob: np.ndarray, label: np.ndarray,
                 ignore_label: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return ``-sum(log(max(prob[label], FLT_MIN)))`` and the number of labels not ignored.

    Args:
        prob: (outer, C, inner) probabilities.
        label: (outer, inner) class numbers; fractions are cut off.
        ignore_label: labels that do not count, or None.

    Returns:
        Two 0-d arrays of ``prob``'s type.

    Raises:
        LabelError: a label outside [0, C) that is not ignored.

    Source: Caffe's softmax_loss_layer.
    """
    outer, inner, classes, kept = _picked(prob, label, ignore_label)
    wrong = (classes < 0) | (classes >= prob.shape[1])
    if wrong.any():
        first = int(wrong.argmax())
        raise LabelError(
            f"a label is no class (at position {outer[first]}, {inner[first]} of the label seen "
            f"as {label.shape})", got=f"{label[outer[first], inner[first]]:g}",
            wanted=f"0 to {prob.shape[1] - 1}",
            remedy="Set num_output of the layer below to the number of classes, or "
                   "loss_param { ignore_label } for labels that are padding.")
    chosen = np.maximum(prob[outer, classes, inner], _LEAST)
    loss = -np.log(chosen).sum(dtype=np.float64)
    return np.asarray(loss, prob.dtype), np.asarray(np.count_nonzero(kept), prob.dtype)


def loss_backward(prob: np.ndarray, label: np.ndarray, ignore_label: int | None, scale: Any,
                  dx: np.ndarray) -> None:
    """Write ``dx = (prob - onehot(label)) * scale``, 0 where the label is ignored.

    Args:
        scale: 0-d array: the gradient of the loss over its normaliser.
    """
    outer, inner, classes, kept = _picked(prob, label, ignore_label)
    np.multiply(prob, scale, out=dx)
    dx[outer, classes, inner] -= scale
    if len(classes) < kept.size:
        outer, inner = np.nonzero(~kept)
        dx[outer, :, inner] = 0


def _picked(prob: np.ndarray, label: np.ndarray, ignore_label: int | None,
            ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return positions and classes of the labels that count, and where they are."""
    with np.errstate(invalid="ignore"):  # NaN becomes a number far out of range
        classes = label.astype(np.intp)
    kept = np.ones(classes.shape, bool) if ignore_label is None else classes != ignore_label
    outer, inner = np.nonzero(kept)
    return outer, inner, classes[kept], kept
