"""Softmax along the middle of (outer, C, inner), its logistic loss, and what losses share.

Labels are class numbers as floating-point numbers; fractions are cut off. One that is not a class
counts for nothing and sets ``BAD_LABEL`` in the status word.
"""
from __future__ import annotations

from typing import Any

from ..scalars import BAD_LABEL, NAN_SCORE, NOT_FINITE
from ..scratch import Scratch
from .checks import has_size, same_size
from .compile import THREADS, launch

_SOURCE = "softmax_loss.cu"
_WARP = 32


def softmax_forward(x: Any, y: Any, scratch: Scratch) -> None:
    """Write ``y = exp(x - max) / sum``; ``y`` may be ``x``. Source: Caffe's softmax_layer."""
    same_size(x=x, y=y)
    outer, classes, inner = x.shape
    launch(_SOURCE, "softmax_forward", outer * inner, (x, classes, inner, y), y.dtype,
           block=_block(classes))


def softmax_backward(y: Any, dy: Any, dx: Any, scratch: Scratch) -> None:
    """Write ``dx = (dy - sum(dy * y)) * y``, the sum along the channels; ``dx`` may be ``dy``."""
    same_size(y=y, dy=dy, dx=dx)
    outer, classes, inner = y.shape
    launch(_SOURCE, "softmax_backward", outer * inner, (y, dy, classes, inner, dx), dx.dtype,
           block=_block(classes))


def _block(classes: int) -> int:
    """Return threads enough for one row: a power of two from a warp to a full block."""
    return min(max(_WARP, 1 << (classes - 1).bit_length()), THREADS)


def loss_forward(prob: Any, label: Any, ignore_label: int | None, loss: Any, valid: Any,
                 status: Any, scratch: Scratch) -> None:
    """Write ``-sum(log(max(prob[label], FLT_MIN)))`` and the number of labels not ignored.

    Args:
        prob: (outer, C, inner) probabilities.
        label: (outer, inner).
        ignore_label: labels that do not count, or None.
        loss, valid: one element each, of ``prob``'s type.
        status: the status word.

    Source: Caffe's softmax_loss_layer.
    """
    outer, classes, inner = prob.shape
    has_size("label", label, outer * inner)
    launch(_SOURCE, "softmax_loss_forward", 1,
           (prob, label, outer * inner, classes, inner, *_ignored(ignore_label), BAD_LABEL, loss,
            valid, status), prob.dtype, block=THREADS)


def loss_backward(prob: Any, label: Any, ignore_label: int | None, scale: Any, dx: Any,
                  scratch: Scratch) -> None:
    """Write ``dx = (prob - onehot(label)) * scale``, 0 where the label does not count.

    Args:
        scale: one element: the gradient of the loss over its normaliser.
    """
    outer, classes, inner = prob.shape
    has_size("label", label, outer * inner)
    has_size("scale", scale, 1)
    launch(_SOURCE, "softmax_loss_backward", same_size(prob=prob, dx=dx),
           (prob, label, classes, inner, *_ignored(ignore_label), scale, dx), prob.dtype)


def class_indices(label: Any, classes: int, ignore_label: int | None, picked: Any,
                  status: Any, scratch: Scratch) -> None:
    """Write each label's class into ``picked`` (int32), -1 where the label does not count."""
    launch(_SOURCE, "class_indices", same_size(label=label, picked=picked),
           (label, classes, *_ignored(ignore_label), BAD_LABEL, picked, status), label.dtype)


def read_classes(x: Any, picked: Any, out: Any, scratch: Scratch) -> None:
    """Write ``out[o, i] = x[o, max(picked[o, i], 0), i]``.

    Args:
        x: (outer, C, inner).
        picked: (outer, inner), int32, of ``class_indices``.
        out: like ``picked``, of ``x``'s type.
    """
    _, classes, inner = x.shape
    launch(_SOURCE, "read_classes", same_size(picked=picked, out=out),
           (x, picked, classes, inner, out), x.dtype)


def write_classes(x: Any, picked: Any, values: Any, scratch: Scratch) -> None:
    """Write ``x[o, max(picked[o, i], 0), i] = values[o, i]``; see ``read_classes``."""
    _, classes, inner = x.shape
    launch(_SOURCE, "write_classes", same_size(picked=picked, values=values),
           (picked, values, classes, inner, x), x.dtype)


def accuracy(scores: Any, picked: Any, top_k: int, right: Any, hits: Any, valid: Any, status: Any,
             scratch: Scratch) -> None:
    """Find the labels whose score is among the ``top_k`` best; count them and all that count.

    Args:
        scores: (outer, C, inner).
        picked: (outer, inner), int32, of ``class_indices``.
        right: like ``picked``; 1 where the label is found so, else 0.
        hits, valid: one element each, of ``scores``' type.
        status: the status word; a label whose score is NaN sets ``NAN_SCORE``.
    """
    _, classes, inner = scores.shape
    rows = same_size(picked=picked, right=right)
    launch(_SOURCE, "rank_labels", rows,
           (scores, picked, classes, inner, top_k, NAN_SCORE, right, status), scores.dtype,
           block=_block(classes))
    launch(_SOURCE, "count_right", 1, (picked, right, rows, hits, valid), scores.dtype,
           block=THREADS)


def add_loss(x: Any, weights: Any | None, factor: float, total: Any, status: Any,
             scratch: Scratch) -> None:
    """Add ``factor * sum(x * weights)`` to ``total`` (1, float64); without weights they are 1.

    A total that is then not finite sets ``NOT_FINITE`` in the status word.
    """
    size = same_size(x=x, weights=weights)
    launch(_SOURCE, "add_loss", 1,
           (x, x if weights is None else weights, size, weights is not None, factor, NOT_FINITE,
            total, status), x.dtype, block=THREADS)


def _ignored(label: int | None) -> tuple[int, int]:
    return (0, 0) if label is None else (1, label)
