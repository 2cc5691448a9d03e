"""Softmax along the middle axis of (outer, C, inner) arrays, and its logistic loss."""
from __future__ import annotations

from typing import Any

from .checks import has_size, raise_bad_label, same_size
from .compile import THREADS, array_module, launch

_SOURCE = "softmax_loss.cu"
_WARP = 32


def softmax_forward(x: Any, y: Any) -> None:
    """Write ``y = exp(x - max) / sum``; ``y`` may be ``x``. Source: Caffe's softmax_layer."""
    same_size(x=x, y=y)
    outer, classes, inner = x.shape
    launch(_SOURCE, "softmax_forward", outer * inner, (x, classes, inner, y), y.dtype,
           block=_block(classes))


def softmax_backward(y: Any, dy: Any, dx: Any) -> None:
    """Write ``dx = (dy - sum(dy * y)) * y``, the sum along the channels; ``dx`` may be ``dy``."""
    same_size(y=y, dy=dy, dx=dx)
    outer, classes, inner = y.shape
    launch(_SOURCE, "softmax_backward", outer * inner, (y, dy, classes, inner, dx), dx.dtype,
           block=_block(classes))


def _block(classes: int) -> int:
    """Return threads enough for one row: a power of two from a warp to a full block."""
    return min(max(_WARP, 1 << (classes - 1).bit_length()), THREADS)


def loss_forward(prob: Any, label: Any, ignore_label: int | None) -> tuple[Any, Any]:
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
    outer, classes, inner = prob.shape
    has_size("label", label, outer * inner)
    xp = array_module(prob)
    error, result = xp.zeros(2, prob.dtype), xp.empty(2, prob.dtype)
    launch(_SOURCE, "softmax_loss_forward", 1,
           (prob, label, outer * inner, classes, inner, *_ignored(ignore_label), error, result),
           prob.dtype, block=THREADS)
    raise_bad_label(error, "a label is no class", f"0 to {classes - 1}",
                    "Set num_output of the layer below to the number of classes, or loss_param "
                    "{ ignore_label } for labels that are padding.")
    return result[:1].reshape(()), result[1:].reshape(())


def loss_backward(prob: Any, label: Any, ignore_label: int | None, scale: Any, dx: Any) -> None:
    """Write ``dx = (prob - onehot(label)) * scale``, 0 where the label is ignored.

    Args:
        scale: 0-d array: the gradient of the loss over its normaliser.
    """
    outer, classes, inner = prob.shape
    has_size("label", label, outer * inner)
    factor = array_module(prob).asarray(scale, prob.dtype).reshape(1)
    launch(_SOURCE, "softmax_loss_backward", same_size(prob=prob, dx=dx),
           (prob, label, classes, inner, *_ignored(ignore_label), factor, dx), prob.dtype)


def _ignored(label: int | None) -> tuple[int, int]:
    return (0, 0) if label is None else (1, label)
