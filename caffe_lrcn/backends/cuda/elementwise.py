"""Element by element; ``cpu/elementwise.py`` describes arrays and arguments.

``scratch`` is part of the common signatures: the kernels keep what comes between in registers.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ..scratch import Scratch
from .checks import has_size, same_size
from .compile import THREADS, launch

_SOURCE, _CHANNELS, _DROPOUT = "elementwise.cu", "channels.cu", "dropout.cu"


def relu_forward(x: Any, negative_slope: float, y: Any, scratch: Scratch) -> None:
    """Write ``y = x`` where ``x > 0``, ``negative_slope * x`` elsewhere. Source: relu_layer."""
    launch(_SOURCE, "relu_forward", same_size(x=x, y=y), (x, negative_slope, y), y.dtype)


def relu_backward(x: Any, dy: Any, negative_slope: float, dx: Any, scratch: Scratch) -> None:
    """Write ``dx = dy`` where ``x > 0``, ``negative_slope * dy`` elsewhere (0 included)."""
    launch(_SOURCE, "relu_backward", same_size(x=x, dy=dy, dx=dx), (x, dy, negative_slope, dx),
           dx.dtype)


def sigmoid_forward(x: Any, y: Any) -> None:
    """Write ``y = 1 / (1 + exp(-x))``. Source: Caffe's sigmoid_layer."""
    launch(_SOURCE, "sigmoid_forward", same_size(x=x, y=y), (x, y), y.dtype)


def sigmoid_backward(y: Any, dy: Any, dx: Any, scratch: Scratch) -> None:
    """Write ``dx = dy * y * (1 - y)``."""
    launch(_SOURCE, "sigmoid_backward", same_size(y=y, dy=dy, dx=dx), (y, dy, dx), dx.dtype)


def tanh_forward(x: Any, y: Any) -> None:
    """Write ``y = tanh(x)``. Source: Caffe's tanh_layer."""
    launch(_SOURCE, "tanh_forward", same_size(x=x, y=y), (x, y), y.dtype)


def tanh_backward(y: Any, dy: Any, dx: Any, scratch: Scratch) -> None:
    """Write ``dx = dy * (1 - y**2)``."""
    launch(_SOURCE, "tanh_backward", same_size(y=y, dy=dy, dx=dx), (y, dy, dx), dx.dtype)


def power_forward(x: Any, power: float, scale: float, shift: float, y: Any) -> None:
    """Write ``y = (shift + scale * x) ** power``. Source: Caffe's power_layer."""
    count = same_size(x=x, y=y)
    if power * scale == 0:
        x, scale = y, 0.0  # y is constant; zeros keep an infinite x out of it
        y.fill(0)
    launch(_SOURCE, "power_forward", count, (x, power, scale, shift, y), y.dtype)


def power_backward(x: Any, y: Any, dy: Any, power: float, scale: float, shift: float, dx: Any,
                   scratch: Scratch) -> None:
    """Write ``dx = dy * power * scale * (shift + scale * x) ** (power - 1)``."""
    count = same_size(x=x, dy=dy, dx=dx)
    if power * scale == 0:
        dx.fill(0)
        return
    launch(_SOURCE, "power_backward", count, (x, dy, power, scale, shift, dx), dx.dtype)


def prelu_forward(x: Any, slope: Any, y: Any, scratch: Scratch) -> None:
    """Write ``y = x`` where ``x > 0``, ``slope * x`` elsewhere, ``slope`` (C,) or (1,)."""
    _, channels, inner = _slope_view(x, slope)
    launch(_CHANNELS, "prelu_forward", same_size(x=x, y=y), (x, slope, channels, inner, y),
           y.dtype)


def prelu_backward(x: Any, dy: Any, slope: Any, dx: Any | None, d_slope: Any | None,
                   scratch: Scratch) -> None:
    """Write ``dx``; add the sum of ``dy * x`` over ``x <= 0`` to ``d_slope``.

    Either may be None; ``dx`` may be ``dy``.
    """
    count = same_size(x=x, dy=dy, dx=dx)
    outer, channels, inner = _slope_view(x, slope)
    if d_slope is not None:  # first, for dx may be dy
        same_size(slope=slope, d_slope=d_slope)
        launch(_CHANNELS, "prelu_slope_backward", channels, (x, dy, outer, inner, d_slope),
               x.dtype, block=THREADS)
    if dx is not None:
        launch(_CHANNELS, "prelu_backward", count, (x, dy, slope, channels, inner, dx), x.dtype)


def _slope_view(x: Any, slope: Any) -> tuple[int, int, int]:
    """Return (outer, C, inner) of ``x``; a slope for all channels sees a single channel."""
    if slope.size == 1:
        return 1, 1, x.size
    has_size("slope", slope, x.shape[1])
    return x.shape


def random_words(key: tuple[int, int], call: int, out: Any) -> None:
    """Overwrite ``out`` (uint32) with ``rng.random_words(key, call, out.size)``."""
    launch(_DROPOUT, "random_words", -(-out.size // 8), (out.size, *key, call, out),
           np.dtype(np.float32))


def dropout_forward(x: Any, mask: Any, key: tuple[int, int], call: int, threshold: int,
                    scale: float, y: Any, scratch: Scratch) -> None:
    """Write ``y = x * scale`` where the random word reaches ``threshold``, 0 elsewhere."""
    count = same_size(x=x, mask=mask, y=y)
    launch(_DROPOUT, "dropout_forward", -(-count // 8),
           (x, count, *key, call, threshold, scale, mask, y), y.dtype)


def dropout_backward(dy: Any, mask: Any, threshold: int, scale: float, dx: Any,
                     scratch: Scratch) -> None:
    """Write ``dx = dy * scale`` where the unit was kept, 0 elsewhere."""
    launch(_DROPOUT, "dropout_backward", same_size(dy=dy, mask=mask, dx=dx),
           (dy, mask, threshold, scale, dx), dx.dtype)


def bias_add(x: Any, b: Any, y: Any) -> None:
    """Write ``y[n, c, i] = x[n, c, i] + b[c]``."""
    _, channels, inner = x.shape
    has_size("b", b, channels)
    launch(_CHANNELS, "bias_add", same_size(x=x, y=y), (x, b, channels, inner, y), y.dtype)


def channel_scale(x: Any, s: Any, b: Any | None, y: Any) -> None:
    """Write ``y[n, c, i] = x[n, c, i] * s[c] + b[c]``; no bias if ``b`` is None."""
    count, (_, channels, inner) = same_size(x=x, y=y), x.shape
    has_size("s", s, channels)
    if b is None:
        launch(_CHANNELS, "channel_scale", count, (x, s, channels, inner, y), y.dtype)
        return
    has_size("b", b, channels)
    launch(_CHANNELS, "channel_scale_bias", count, (x, s, b, channels, inner, y), y.dtype)


def sum_to_channels(x: Any, out: Any, scratch: Scratch) -> None:
    """Add to ``out[c]`` the sum of ``x[n, c, i]`` over ``n`` and ``i``."""
    outer, channels, inner = x.shape
    has_size("out", out, channels)
    launch(_CHANNELS, "sum_to_channels", channels, (x, outer, inner, out), x.dtype, block=THREADS)
