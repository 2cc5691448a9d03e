"""Checks that several layers share, with errors that name the layer and the place."""
from __future__ import annotations

import math
from collections.abc import Sequence

from google.protobuf.message import Message

from ...blob import Blob
from ...errors import NetError, PrototxtError, ShapeError
from ..base import Layer


def difference(shape: Sequence[int], other: Sequence[int], free: int | None = None) -> str | None:
    """Return where two shapes differ, in words; None if they agree on all axes but ``free``."""
    if len(shape) != len(other):
        return "in the number of axes"
    axes = [str(axis) for axis in range(len(shape)) if shape[axis] != other[axis] and axis != free]
    return f"on ax{'es' if len(axes) > 1 else 'is'} {', '.join(axes)}" if axes else None


def axis_of(layer: Layer, blob: Blob, axis: int, *at: str) -> int:
    """Return a possibly negative axis of ``blob`` counted from the front.

    Raises:
        ShapeError: the blob has no such axis; ``at`` is the field that asks for it.
    """
    try:
        return blob.canonical_axis(axis)
    except ShapeError as error:
        raise layer.error(ShapeError, error.message, got=axis, wanted=error.wanted, at=at,
                          remedy="Negative axes count from the last, -1.") from None


def axis_of_two_names(layer: Layer, blob: Blob, field: str, old: str) -> int:
    """Return the axis of ``blob`` that a message calls ``axis`` or, as it used to, ``old``.

    Raises:
        PrototxtError: both are given.
        ShapeError: the blob has no such axis.
    """
    param = getattr(layer.param, field)
    name = old if param.HasField(old) else "axis"
    if name == old and param.HasField("axis"):
        raise layer.error(PrototxtError, "the axis is given twice", at=(field, old),
                          remedy=f"{old} is an older name of axis: give one of them.")
    return axis_of(layer, blob, getattr(param, name), field, name)


def require_positive(layer: Layer, message: str, *fields: str) -> None:
    """Check that sizes without a default are given and not 0.

    Args:
        message: the layer's field that holds them, such as ``convolution_param``.

    Raises:
        PrototxtError: one is missing or 0.
    """
    param = getattr(layer.param, message)
    for field in fields:
        if param.HasField(field) and getattr(param, field) == 0:
            raise layer.error(PrototxtError, f"{field} must be positive", got=0,
                              at=(message, field))
        if not param.HasField(field):
            other = next((known.name for known, value in layer.param.ListFields()
                          if isinstance(value, Message)
                          and field in value.DESCRIPTOR.fields_by_name), message)
            raise layer.error(
                PrototxtError, f"{field} is missing", at=(message, field),
                remedy=f"{layer.type} reads {message}, and this is {other}"
                if other != message else f"Write {message} {{ {field}: … }}")


def scores_first(layer: Layer, bottom: list[Blob]) -> None:
    """Check that the scores, which come first, are not in the place of the labels.

    There are as many scores for each label, so the count of one divides that of the other.

    Raises:
        ShapeError: they seem to be swapped.
    """
    if 0 < bottom[0].count < bottom[1].count and not bottom[1].count % bottom[0].count:
        raise layer.error(ShapeError, "the first bottom must be the scores, the second the labels",
                          got=f"{bottom[0].shape} and {bottom[1].shape}", at=("bottom", 0),
                          remedy="The two seem to be swapped: write the scores first")


def same_count(layer: Layer, bottom: list[Blob], classes: str) -> None:
    """Check that the two bottoms have the same number of elements.

    Args:
        classes: what to use instead where bottom 1 holds one class label for each sample.

    Raises:
        ShapeError: they have not.
    """
    first, second = sorted(bottom[:2], key=lambda blob: blob.count, reverse=True)
    if first.count == second.count:
        return
    is_label = second.count == first.shape[0]
    raise layer.error(
        ShapeError, "the two bottoms must have one shape: they are compared number by number",
        got=f"{bottom[0].shape} and {bottom[1].shape}", at=("bottom", 1),
        remedy=f"One number for each sample looks like a class label: use {classes}, or give "
               f"targets of shape {first.shape}" if is_label else
        "Give targets of the predictions' shape")


def same_batch(layer: Layer, bottom: list[Blob]) -> None:
    """Check that the two bottoms of a loss agree in axis 0.

    Raises:
        ShapeError: they do not, or one of them has no axes.
    """
    first, second = bottom[0].shape, bottom[1].shape
    if not first or not second or first[0] != second[0]:
        raise layer.error(ShapeError, "predictions and labels differ in axis 0",
                          got=f"{first} and {second}", at=("bottom", 1),
                          remedy=transposed_remedy(first[:2], second)
                          or "Both must hold the same number of samples, along axis 0.")


def label_count(layer: Layer, bottom: list[Blob], axis: int) -> tuple[int, int, int]:
    """Return (outer, C, inner) of the predictions, given their class axis.

    Raises:
        ShapeError: there is not exactly one label for each prediction, or there are no classes.
    """
    scores, label = bottom
    outer, inner = scores.count_range(0, axis), scores.count_range(axis + 1)
    if outer * inner != label.count:
        lead = scores.shape[:axis] + scores.shape[axis + 1:]
        raise layer.error(
            ShapeError, "there must be one label for each prediction", at=("bottom", 1),
            got=f"{label.count} labels of shape {label.shape} for predictions of shape "
                f"{scores.shape}", wanted=f"{outer * inner} of shape {lead}",
            remedy=f"The classes are taken to lie along axis {axis}; set axis if they do not.")
    if label.count and not scores.count:
        raise layer.error(ShapeError, f"there are no classes along axis {axis}", got=scores.shape,
                          wanted="at least one", at=("bottom", 0))
    return outer, scores.shape[axis], inner


def transposed_remedy(wanted: tuple[int, ...], got: tuple[int, ...]) -> str | None:
    """Say so if ``got`` is (N, T) where ``wanted`` is (T, N)."""
    if len(wanted) == 2 and got[:2] == wanted[::-1] and all(n == 1 for n in got[2:]):
        return (f"The labels have the right number, but transposed: sequences are time-major, "
                f"T x N = {wanted[0]} x {wanted[1]}, and the labels come as N x T.")
    return None


def refuse_label_gradient(layer: Layer, propagate_down: list[bool]) -> None:
    """Check that nobody wants the gradient of the labels, bottom 1.

    Raises:
        NetError: the net asks for it.
    """
    if propagate_down[1]:
        raise layer.error(NetError, f"{layer.type} has no gradient with respect to its labels",
                          at=("bottom", 1),
                          remedy="Feed labels from data, or write propagate_down: true "
                                 "propagate_down: false.")


def log_of_base(layer: Layer, field: str) -> float:
    """Return the natural logarithm of ``base`` in the message ``field``, whose -1 means e.

    Raises:
        PrototxtError: another negative base, 0, or one that is not a finite number.
    """
    base = getattr(layer.param, field).base
    if base == -1:
        return 1.0
    if not 0 < base < math.inf:
        raise layer.error(PrototxtError, "base has no logarithm", got=f"{base:g}",
                          wanted="-1 (e) or a positive number", at=(field, "base"))
    return math.log(base)
