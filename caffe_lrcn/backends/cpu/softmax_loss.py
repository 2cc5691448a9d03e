"""Softmax along the middle of (outer, C, inner), its logistic loss, and what losses share.

Labels are class numbers as floating-point numbers; fractions are cut off. One that is not a class
counts for nothing and sets ``BAD_LABEL`` in the status word.
"""
from __future__ import annotations

import numpy as np

from ..scalars import BAD_LABEL, NAN_SCORE
from ..scratch import Scratch
from .blocks import rows_per_block

#: Least probability whose logarithm is taken (FLT_MIN, in float64 too).
_LEAST = float(np.finfo(np.float32).tiny)


@np.errstate(over="ignore", invalid="ignore")
def softmax_forward(x: np.ndarray, y: np.ndarray) -> None:
    """Write ``y = exp(x - max) / sum``; ``y`` may be ``x``. Source: Caffe's softmax_layer."""
    step = rows_per_block(x)
    for start in range(0, len(x), step):
        x_, y_ = x[start:start + step], y[start:start + step]
        np.subtract(x_, np.maximum.reduce(x_, axis=1, keepdims=True), out=y_)
        np.exp(y_, out=y_)
        y_ /= np.add.reduce(y_, axis=1, keepdims=True)


def softmax_backward(y: np.ndarray, dy: np.ndarray, dx: np.ndarray, scratch: Scratch) -> None:
    """Write ``dx = (dy - sum(dy * y)) * y``, the sum along the channels; ``dx`` may be ``dy``."""
    step = rows_per_block(y)
    for start in range(0, len(y), step):
        rows = slice(start, start + step)
        with scratch.frame():
            product = np.multiply(dy[rows], y[rows], out=scratch.take(y[rows].shape, y.dtype))
            dot = product.sum(axis=1, keepdims=True)
        np.subtract(dy[rows], dot, out=dx[rows])
        dx[rows] *= y[rows]


def loss_forward(prob: np.ndarray, label: np.ndarray, ignore_label: int | None, loss: np.ndarray,
                 valid: np.ndarray, status: np.ndarray) -> None:
    """Write ``-sum(log(max(prob[label], FLT_MIN)))`` and the number of labels not ignored.

    Args:
        prob: (outer, C, inner) probabilities.
        label: (outer, inner).
        ignore_label: labels that do not count, or None.
        loss, valid: one element each, of ``prob``'s type.
        status: the status word.

    Source: Caffe's softmax_loss_layer.
    """
    classes, kept = _classes(label, prob.shape[1], ignore_label, status)
    outer, inner = kept.nonzero()
    chosen = np.maximum(prob[outer, classes[kept], inner], _LEAST)
    loss[...] = -np.add.reduce(np.log(chosen), dtype=np.float64)
    valid[...] = outer.size


def loss_backward(prob: np.ndarray, label: np.ndarray, ignore_label: int | None,
                  scale: np.ndarray, dx: np.ndarray) -> None:
    """Write ``dx = (prob - onehot(label)) * scale``, 0 where the label does not count.

    Args:
        scale: one element: the gradient of the loss over its normaliser.
    """
    classes, kept = _classes(label, prob.shape[1], ignore_label)
    np.multiply(prob, scale, out=dx)
    outer, inner = kept.nonzero()
    dx[outer, classes[kept], inner] -= scale
    if outer.size < kept.size:
        outer, inner = np.nonzero(~kept)
        dx[outer, :, inner] = 0


def class_indices(label: np.ndarray, classes: int, ignore_label: int | None, picked: np.ndarray,
                  status: np.ndarray) -> None:
    """Write each label's class into ``picked`` (int32), -1 where the label does not count."""
    found, kept = _classes(label, classes, ignore_label, status)
    picked[...] = np.where(kept, found, -1)


def accuracy(scores: np.ndarray, picked: np.ndarray, top_k: int, right: np.ndarray,
             hits: np.ndarray, valid: np.ndarray, status: np.ndarray, scratch: Scratch) -> None:
    """Find the labels whose score is among the ``top_k`` best; count them and all that count.

    Args:
        scores: (outer, C, inner).
        picked: (outer, inner), int32, of ``class_indices``.
        right: like ``picked``; 1 where the label is found so, else 0.
        hits, valid: one element each, of ``scores``' type.
        status: the status word; a label whose score is NaN sets ``NAN_SCORE``.
    """
    kept = picked >= 0
    true = np.take_along_axis(scores, np.maximum(picked, 0)[:, None], axis=1)
    if (np.isnan(true[:, 0]) & kept).any():
        status |= NAN_SCORE
    # CAFFE-QUIRK: scores equal to the true one count against it. A NaN compares false with
    # everything, so a NaN score counts as right.
    mask = np.greater_equal(scores, true, out=scratch.take(scores.shape, bool))
    right[...] = kept & (np.count_nonzero(mask, axis=1) - 1 < top_k)
    hits[...], valid[...] = np.count_nonzero(right), np.count_nonzero(kept)


def add_loss(x: np.ndarray, weights: np.ndarray | None, factor: float, total: np.ndarray,
             scratch: Scratch) -> None:
    """Add ``factor * sum(x * weights)`` to ``total`` (1, float64); without weights they are 1."""
    if weights is not None:
        x = np.multiply(x, weights, out=scratch.take(x.shape, x.dtype))
    total += factor * float(x.sum())


def _classes(label: np.ndarray, count: int, ignore_label: int | None,
             status: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return labels as integers, and which of them count."""
    with np.errstate(invalid="ignore"):  # NaN becomes a number far out of range
        classes = label.astype(np.intp)
    kept = good = classes.view(np.uintp) < count  # negative numbers are huge ones
    if ignore_label is not None:
        ignored = classes == ignore_label
        kept, good = good & ~ignored, good | ignored
    if status is not None and not good.all():
        status |= BAD_LABEL
    return classes, kept
