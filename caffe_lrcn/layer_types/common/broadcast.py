"""Factors and summands that are spread over the other axes of a blob: Bias, Scale, Scalar."""
from __future__ import annotations

from ...blob import Blob
from ...errors import PrototxtError, ShapeError
from ..base import Layer
from .checks import axis_of


def learned_shape(layer: Layer, bottom: Blob, field: str) -> tuple[int, ...]:
    """Return the shape of a parameter that covers ``num_axes`` axes of ``bottom`` from ``axis`` on.

    Args:
        field: name of the message with ``axis`` and ``num_axes`` (-1: all; 0: one number).

    Raises:
        PrototxtError: ``num_axes`` is below -1.
        ShapeError: the bottom does not have these axes.
    """
    param = getattr(layer.param, field)
    if param.num_axes < -1:
        raise layer.error(PrototxtError, "num_axes is not a number of axes", got=param.num_axes,
                          wanted="-1 (to the last) or more", at=(field, "num_axes"))
    if param.num_axes == 0:
        return ()
    start = axis_of(layer, bottom, param.axis, field, "axis")
    if param.num_axes == -1:
        return bottom.shape[start:]
    if start + param.num_axes > len(bottom.shape):
        raise layer.error(ShapeError, f"the bottom has too few axes for {field}", got=bottom.shape,
                          wanted=f"at least {start + param.num_axes} axes", at=(field, "num_axes"))
    return bottom.shape[start:start + param.num_axes]


def covered_view(layer: Layer, bottom: list[Blob], operand: Blob, field: str,
                 name: str) -> tuple[int, int, int]:
    """Return (outer, count, inner): bottom 0 seen so that ``operand`` lies along the middle axis.

    Args:
        field: name of the message whose ``axis`` says where the operand's axes begin.
        name: what the operand is, for the error.

    Raises:
        ShapeError: the operand's shape is not that of these axes.
    """
    x, shape = bottom[0], operand.shape
    start = axis_of(layer, x, getattr(layer.param, field).axis, field, "axis") if shape else 0
    end = start + len(shape)
    if x.shape[start:end] != shape:
        raise layer.error(ShapeError, f"the {name} does not fit the bottom", got=shape,
                          wanted=f"{x.shape[start:end]}, the axes of {x.shape} from {start} on",
                          at=("bottom", len(bottom) - 1))
    return x.count_range(0, start), operand.count, x.count_range(end)
