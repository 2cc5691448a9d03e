"""Convolution on the CPU: picks the implementation for a type and geometry."""
from __future__ import annotations

from typing import Any

from ..specs import ConvSpec
from .conv_plain import PlainConv


def plan(spec: ConvSpec, x_shape: tuple[int, ...], backend: Any) -> PlainConv:
    """Return the object that runs one convolution for bottoms of one shape.

    Args:
        spec: the geometry.
        x_shape: (N, C, *spatial) of the bottom.
        backend: the CPU backend; its type is that of every array.

    Its methods, on C-contiguous arrays ``x`` (N, C, *in), ``w`` (M, C / group, *kernel), ``b`` (M,)
    and ``y`` (N, M, *out): ``forward(x, w, b or None, y)``, ``backward_data(dy, w, dx)``,
    ``backward_weights(x, dy, dw)`` and ``backward_bias(dy, db)``. The last two accumulate.
    Source: Caffe's conv_layer.
    """
    return PlainConv(spec, x_shape, backend)
