"""Convolution on the CPU: oneDNN where it can, plain NumPy elsewhere."""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import glog
from ..specs import ConvSpec
from .conv_plain import PlainConv
from .dnnl import DnnlError, library
from .dnnl.conv import DnnlConv


def plan(spec: ConvSpec, x_shape: tuple[int, ...], backend: Any) -> PlainConv | DnnlConv:
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
    fits = len(spec.kernel) == 2 and backend.dtype == np.float32 and math.prod(x_shape) > 0
    lib = library() if fits else None
    if lib is not None:
        try:
            return DnnlConv(lib, spec, x_shape, backend)
        except DnnlError as error:
            glog.warning("oneDNN has no convolution for %s on %s (%s): using plain NumPy",
                         spec, x_shape, error)
    return PlainConv(spec, x_shape, backend)
