"""Element by element: activations, dropout, and sums and products along the channel axis.

An output may be the same array as an input. Arrays of three axes are (outer, C, inner) views with
the channels in the middle. Gradients of activations are overwritten, those of parameters
(``d_slope``) and ``sum_to_channels`` accumulate. ``scratch`` gives arrays for what comes between.
"""
from __future__ import annotations

import numpy as np

from ...rng import philox
from ..scratch import Scratch
from .blocks import block_of, blocks, rows_per_block

#: 64-bit words that are drawn at once: NumPy returns them as a new array, here of 24 KiB.
_DRAWN = 3072


def relu_forward(x: np.ndarray, negative_slope: float, y: np.ndarray, scratch: Scratch) -> None:
    """Write ``y = max(x, 0) + negative_slope * min(x, 0)``. Source: Caffe's relu_layer."""
    if negative_slope == 0:
        np.maximum(x, 0, out=y)
        return
    low = block_of(x, scratch)
    for x_, y_ in blocks(x, y):
        low_ = np.minimum(x_, 0, out=low[:x_.size])
        low_ *= negative_slope
        np.maximum(x_, 0, out=y_)
        y_ += low_


def relu_backward(x: np.ndarray, dy: np.ndarray, negative_slope: float, dx: np.ndarray,
                  scratch: Scratch) -> None:
    """Write ``dx = dy`` where ``x > 0``, ``negative_slope * dy`` elsewhere (0 included).

    ``x`` may be the output, if ``negative_slope`` is not negative: their signs agree.
    """
    positive = block_of(x, scratch, bool)
    leaky = block_of(x, scratch) if negative_slope else None
    for x_, dy_, dx_ in blocks(x, dy, dx):
        factor_ = positive_ = np.greater(x_, 0, out=positive[:x_.size])
        if leaky is not None:
            factor_ = leaky[:x_.size]
            factor_.fill(negative_slope)
            np.copyto(factor_, 1, where=positive_)
        np.multiply(dy_, factor_, out=dx_)


def sigmoid_forward(x: np.ndarray, y: np.ndarray) -> None:
    """Write ``y = 1 / (1 + exp(-x))``. Source: Caffe's sigmoid_layer."""
    # An overflowing exp(-x) is infinite, and its reciprocal the right answer, 0.
    with np.errstate(over="ignore"):
        for x_, y_ in blocks(x, y):
            np.negative(x_, out=y_)
            np.exp(y_, out=y_)
            y_ += 1
            np.reciprocal(y_, out=y_)


def sigmoid_backward(y: np.ndarray, dy: np.ndarray, dx: np.ndarray, scratch: Scratch) -> None:
    """Write ``dx = dy * y * (1 - y)``."""
    slope = block_of(y, scratch)
    for y_, dy_, dx_ in blocks(y, dy, dx):
        slope_ = np.subtract(1, y_, out=slope[:y_.size])
        slope_ *= y_
        np.multiply(dy_, slope_, out=dx_)


def tanh_forward(x: np.ndarray, y: np.ndarray) -> None:
    """Write ``y = tanh(x)``. Source: Caffe's tanh_layer."""
    np.tanh(x, out=y)


def tanh_backward(y: np.ndarray, dy: np.ndarray, dx: np.ndarray, scratch: Scratch) -> None:
    """Write ``dx = dy * (1 - y**2)``."""
    slope = block_of(y, scratch)
    for y_, dy_, dx_ in blocks(y, dy, dx):
        slope_ = np.square(y_, out=slope[:y_.size])
        np.subtract(1, slope_, out=slope_)
        np.multiply(dy_, slope_, out=dx_)


@np.errstate(all="ignore")
def power_forward(x: np.ndarray, power: float, scale: float, shift: float, y: np.ndarray) -> None:
    """Write ``y = (shift + scale * x) ** power``. Source: Caffe's power_layer."""
    if power * scale == 0:
        y.fill(np.power(np.float64(shift), power))  # 1 if power is 0, whatever the shift
        return
    np.multiply(x, scale, out=y)
    if shift:  # 0 is not added: it would make -0 a 0, whose power may be another infinity
        y += shift
    if power != 1:
        np.power(y, power, out=y)


@np.errstate(all="ignore")
def power_backward(x: np.ndarray, y: np.ndarray, dy: np.ndarray, power: float, scale: float,
                   shift: float, dx: np.ndarray, scratch: Scratch) -> None:
    """Write ``dx = dy * power * scale * (shift + scale * x) ** (power - 1)``.

    ``y`` is part of the common signature; this closed form has no use for it, and unlike ``y / x``
    it is right at 0.
    """
    if power * scale == 0 or power == 1:
        np.multiply(dy, power * scale, out=dx)
        return
    slope = block_of(x, scratch)
    for x_, dy_, dx_ in blocks(x, dy, dx):
        slope_ = np.multiply(x_, scale, out=slope[:x_.size])
        if shift:
            slope_ += shift
        if power != 2:
            np.power(slope_, power - 1, out=slope_)
        slope_ *= power * scale
        np.multiply(dy_, slope_, out=dx_)


def prelu_forward(x: np.ndarray, slope: np.ndarray, y: np.ndarray, scratch: Scratch) -> None:
    """Write ``y = max(x, 0) + slope * min(x, 0)``, ``slope`` (C,) or (1,).

    Source: Caffe's prelu_layer; He et al., "Delving deep into rectifiers".
    """
    step = rows_per_block(x)
    low = scratch.take((min(step, len(x)), *x.shape[1:]), x.dtype)
    for start in range(0, len(x), step):
        x_, y_ = x[start:start + step], y[start:start + step]
        low_ = np.minimum(x_, 0, out=low[:len(x_)])
        low_ *= slope[:, None]
        np.maximum(x_, 0, out=y_)
        y_ += low_


def prelu_backward(x: np.ndarray, dy: np.ndarray, slope: np.ndarray, dx: np.ndarray | None,
                   d_slope: np.ndarray | None, scratch: Scratch) -> None:
    """Write ``dx``; add to ``d_slope`` the sum of ``dy * x`` over ``x <= 0``; None: not wanted."""
    step = rows_per_block(x)
    work = scratch.take((min(step, len(x)), *x.shape[1:]), x.dtype)
    total = scratch.take(len(slope), x.dtype)
    negative = scratch.take(work.shape, bool)
    for start in range(0, len(x), step):
        x_, dy_ = x[start:start + step], dy[start:start + step]
        work_ = work[:len(x_)]
        if d_slope is not None:
            np.minimum(x_, 0, out=work_)
            work_ *= dy_
            d_slope += (np.sum(work_, axis=(0, 2), out=total) if d_slope.size > 1
                        else work_.sum())
        if dx is not None:
            np.greater(x_, 0, out=work_)
            np.equal(work_, 0, out=negative[:len(work_)])
            np.copyto(work_, slope[:, None], where=negative[:len(work_)])
            np.multiply(dy_, work_, out=dx[start:start + step])


def random_words(key: tuple[int, int], call: int, out: np.ndarray) -> None:
    """Overwrite ``out`` (uint32) with ``rng.random_words(key, call, out.size)``."""
    _draw(philox(key, call), out.reshape(-1))


def _draw(bits: np.random.Philox, out: np.ndarray) -> None:
    """Fill ``out`` (flat, uint32) with the next words; half of the last draw may be lost."""
    pairs = out[:out.size // 2 * 2].view("<u8")
    for start in range(0, pairs.size, _DRAWN):
        stop = min(start + _DRAWN, pairs.size)
        pairs[start:stop] = bits.random_raw(stop - start)
    if out.size % 2:
        out[-1] = bits.random_raw() & 0xFFFF_FFFF


def dropout_forward(x: np.ndarray, mask: np.ndarray, key: tuple[int, int], call: int,
                    threshold: int, scale: float, y: np.ndarray, scratch: Scratch) -> None:
    """Write ``y = x * scale`` where the random word reaches ``threshold``, 0 elsewhere.

    Args:
        mask: uint32, as many as ``x``; overwritten with ``rng.random_words(key, call, x.size)``.
        key, call: the random key and the number of the pass.
        threshold: share of dropped units times 2**32.
        scale: 1 / (1 - share), so that the expected value stays.

    Source: Caffe's dropout_layer.
    """
    bits = philox(key, call)
    kept = block_of(x, scratch, bool)
    for x_, mask_, y_ in blocks(x, mask, y):
        _draw(bits, mask_)  # blocks have an even number of words: none of a pair is lost
        _drop(x_, mask_, threshold, scale, y_, kept)


def dropout_backward(dy: np.ndarray, mask: np.ndarray, threshold: int, scale: float,
                     dx: np.ndarray, scratch: Scratch) -> None:
    """Write ``dx = dy * scale`` where the unit was kept, 0 elsewhere."""
    kept = block_of(dy, scratch, bool)
    for dy_, mask_, dx_ in blocks(dy, mask, dx):
        _drop(dy_, mask_, threshold, scale, dx_, kept)


def _drop(x: np.ndarray, mask: np.ndarray, threshold: int, scale: float, y: np.ndarray,
          kept: np.ndarray) -> None:
    np.greater_equal(mask, np.uint32(threshold), out=kept[:x.size])
    np.multiply(x, kept[:x.size], out=y)
    y *= scale


def bias_add(x: np.ndarray, b: np.ndarray, y: np.ndarray) -> None:
    """Write ``y[n, c, i] = x[n, c, i] + b[c]``."""
    np.add(x, b[:, None], out=y)


def channel_scale(x: np.ndarray, s: np.ndarray, b: np.ndarray | None, y: np.ndarray) -> None:
    """Write ``y[n, c, i] = x[n, c, i] * s[c] + b[c]``; no bias if ``b`` is None."""
    np.multiply(x, s[:, None], out=y)
    if b is not None:
        y += b[:, None]


def sum_to_channels(x: np.ndarray, out: np.ndarray, scratch: Scratch) -> None:
    """Add to ``out[c]`` the sum of ``x[n, c, i]`` over ``n`` and ``i``."""
    # Summing over a single element would copy all of x.
    rows = (x[:, :, 0] if x.shape[2] == 1
            else np.add.reduce(x, axis=2, out=scratch.take(x.shape[:2], x.dtype)))
    out += np.add.reduce(rows, axis=0, out=scratch.take(x.shape[1], x.dtype))
