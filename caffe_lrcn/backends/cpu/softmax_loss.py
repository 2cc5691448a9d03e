"""Softmax along the middle of (outer, C, inner), its logistic loss, and what losses share.

Labels are class numbers as floating-point numbers; fractions are cut off. One that is not a class
counts for nothing and sets ``BAD_LABEL`` in the status word.
"""
from __future__ import annotations

import math

import numpy as np

from ..scalars import BAD_LABEL, NAN_SCORE, NOT_FINITE
from ..scratch import Scratch
from .blocks import rows_per_block
from .places import class_places, places, whole_numbers

#: Least probability whose logarithm is taken (FLT_MIN, in float64 too).
_LEAST = float(np.finfo(np.float32).tiny)


@np.errstate(over="ignore", invalid="ignore")
def softmax_forward(x: np.ndarray, y: np.ndarray, scratch: Scratch) -> None:
    """Write ``y = exp(x - max) / sum``; ``y`` may be ``x``. Source: Caffe's softmax_layer."""
    if not x.size:
        return  # without classes there is nothing to find
    step = rows_per_block(x)
    of_rows = scratch.take((min(step, len(x)), 1, x.shape[2]), x.dtype)
    for start in range(0, len(x), step):
        x_, y_ = x[start:start + step], y[start:start + step]
        of_rows_ = of_rows[:len(x_)]
        np.subtract(x_, np.maximum.reduce(x_, axis=1, keepdims=True, out=of_rows_), out=y_)
        np.exp(y_, out=y_)
        y_ /= np.add.reduce(y_, axis=1, keepdims=True, out=of_rows_)


def softmax_backward(y: np.ndarray, dy: np.ndarray, dx: np.ndarray, scratch: Scratch) -> None:
    """Write ``dx = (dy - sum(dy * y)) * y``, the sum along the channels; ``dx`` may be ``dy``."""
    step = rows_per_block(y)
    work = scratch.take((min(step, len(y)), *y.shape[1:]), y.dtype)
    dot = scratch.take((len(work), 1, y.shape[2]), y.dtype)
    for start in range(0, len(y), step):
        y_, dy_, dx_ = (array[start:start + step] for array in (y, dy, dx))
        product = np.multiply(dy_, y_, out=work[:len(y_)])
        np.subtract(dy_, product.sum(axis=1, keepdims=True, out=dot[:len(y_)]), out=dx_)
        dx_ *= y_


def loss_forward(prob: np.ndarray, label: np.ndarray, ignore_label: int | None, loss: np.ndarray,
                 valid: np.ndarray, status: np.ndarray, scratch: Scratch) -> None:
    """Write ``-sum(log(max(prob[label], FLT_MIN)))`` and the number of labels not ignored.

    Args:
        prob: (outer, C, inner) probabilities.
        label: (outer, inner).
        ignore_label: labels that do not count, or None.
        loss, valid: one element each, of ``prob``'s type.
        status: the status word.

    Source: Caffe's softmax_loss_layer.
    """
    picked = _class_numbers(label, prob.shape[1], ignore_label, status, scratch)
    chosen = scratch.take(picked.shape, prob.dtype)
    read_classes(prob, picked, chosen, scratch)
    counting = places(np.greater_equal(picked, 0, out=scratch.take(picked.shape, bool)), scratch)
    if counting.size < chosen.size:
        chosen = chosen.reshape(-1).take(counting, mode="clip",
                                         out=scratch.take(counting.shape, prob.dtype))
    np.maximum(chosen, _LEAST, out=chosen)
    loss[...] = -np.add.reduce(np.log(chosen, out=chosen), axis=None, dtype=np.float64)
    valid[...] = counting.size


def loss_backward(prob: np.ndarray, label: np.ndarray, ignore_label: int | None,
                  scale: np.ndarray, dx: np.ndarray, scratch: Scratch) -> None:
    """Write ``dx = (prob - onehot(label)) * scale``, 0 where the label does not count.

    Args:
        scale: one element: the gradient of the loss over its normaliser.
    """
    picked = _class_numbers(label, prob.shape[1], ignore_label, None, scratch)
    np.multiply(prob, scale, out=dx)
    flat, chosen = dx.reshape(-1), scratch.take(picked.shape, dx.dtype)
    of_classes = class_places(picked, prob.shape[1], scratch)
    flat.take(of_classes, out=chosen, mode="clip")
    chosen -= scale
    flat.put(of_classes, chosen, mode="clip")
    uncounted = places(np.less(picked, 0, out=scratch.take(picked.shape, bool)), scratch)
    if uncounted.size:
        outer, inner = (scratch.take(uncounted.shape, np.intp) for _ in range(2))
        np.divmod(uncounted, picked.shape[1], out=(outer, inner))
        dx[outer, :, inner] = 0


def class_indices(label: np.ndarray, classes: int, ignore_label: int | None, picked: np.ndarray,
                  status: np.ndarray, scratch: Scratch) -> None:
    """Write each label's class into ``picked`` (int32), -1 where the label does not count."""
    numbers = _class_numbers(label, classes, ignore_label, status, scratch)
    np.copyto(picked, numbers, casting="unsafe")


def _class_numbers(label: np.ndarray, classes: int, ignore_label: int | None,
                   status: np.ndarray | None, scratch: Scratch) -> np.ndarray:
    """Return what ``class_indices`` writes, from scratch and as places in arrays (intp)."""
    whole = whole_numbers(label, scratch)
    wrong = scratch.take(label.shape, bool)
    np.greater_equal(whole.view(np.uintp), classes, out=wrong)  # negative numbers are huge ones
    uncounted = wrong
    if ignore_label is not None:
        ignored = np.equal(whole, ignore_label, out=scratch.take(label.shape, bool))
        uncounted = np.logical_or(wrong, ignored, out=scratch.take(label.shape, bool))
        np.greater(wrong, ignored, out=wrong)
    if status is not None and np.logical_or.reduce(wrong, axis=None):
        status |= BAD_LABEL
    np.putmask(whole, uncounted, -1)
    return whole


def read_classes(x: np.ndarray, picked: np.ndarray, out: np.ndarray, scratch: Scratch) -> None:
    """Write ``out[o, i] = x[o, max(picked[o, i], 0), i]``.

    Args:
        x: (outer, C, inner).
        picked: (outer, inner), int32, of ``class_indices``.
        out: like ``picked``, of ``x``'s type.
    """
    x.reshape(-1).take(class_places(picked, x.shape[1], scratch), out=out, mode="clip")


def write_classes(x: np.ndarray, picked: np.ndarray, values: np.ndarray, scratch: Scratch) -> None:
    """Write ``x[o, max(picked[o, i], 0), i] = values[o, i]``; see ``read_classes``."""
    x.reshape(-1).put(class_places(picked, x.shape[1], scratch), values, mode="clip")


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
    kept, wrong = (scratch.take(picked.shape, bool) for _ in range(2))
    np.greater_equal(picked, 0, out=kept)
    true = scratch.take(picked.shape, scores.dtype)
    read_classes(scores, picked, true, scratch)
    if np.logical_and(np.isnan(true, out=wrong), kept, out=wrong).any():
        status |= NAN_SCORE
    # CAFFE-QUIRK: scores equal to the true one count against it. A NaN compares false with
    # everything, so a NaN score counts as right.
    mask = np.greater_equal(scores, true[:, None], out=scratch.take(scores.shape, bool))
    reaching = np.sum(mask, axis=1, dtype=np.intp, out=scratch.take(picked.shape, np.intp))
    right[...] = np.logical_and(kept, np.less_equal(reaching, top_k, out=wrong), out=wrong)
    hits[...], valid[...] = np.count_nonzero(right), np.count_nonzero(kept)


def add_loss(x: np.ndarray, weights: np.ndarray | None, factor: float, total: np.ndarray,
             status: np.ndarray, scratch: Scratch) -> None:
    """Add ``factor * sum(x * weights)`` to ``total`` (1, float64); without weights they are 1.

    A total that is then not finite sets ``NOT_FINITE`` in the status word.
    """
    if weights is not None:
        x = np.multiply(x, weights, out=scratch.take(x.shape, x.dtype))
    total += factor * float(x.sum())
    if not math.isfinite(total[0]):
        status |= NOT_FINITE
