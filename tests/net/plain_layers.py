"""Layers in plain NumPy, from their definitions: slow, and sharing nothing with the engine."""
from __future__ import annotations

import itertools

import numpy as np

Array = np.ndarray


def pad_space(x: Array, pad: int, value: float = 0.0) -> Array:
    return np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)], constant_values=value)


def convolution(x: Array, w: Array, b: Array, *, stride: int, pad: int, dilation: int,
                group: int) -> Array:
    x = pad_space(x, pad)
    reach = dilation * (w.shape[2] - 1) + 1
    rows, columns = ((size - reach) // stride + 1 for size in x.shape[2:])
    y = np.zeros((x.shape[0], w.shape[0], rows, columns))
    per_in, per_out = w.shape[1], w.shape[0] // group
    for n, o, r, c in np.ndindex(*y.shape):
        first = o // per_out * per_in
        window = x[n, first:first + per_in, r * stride:r * stride + reach:dilation,
                   c * stride:c * stride + reach:dilation]
        y[n, o, r, c] = (window * w[o]).sum() + b[o]
    return y


def deconvolution(x: Array, w: Array, b: Array, *, stride: int, pad: int) -> Array:
    n, channels, height, width = x.shape
    kernel = w.shape[2]
    y = np.zeros((n, w.shape[1], stride * (height - 1) + kernel, stride * (width - 1) + kernel))
    for r, c in np.ndindex(height, width):
        y[:, :, r * stride:r * stride + kernel, c * stride:c * stride + kernel] += np.einsum(
            "nc,cokl->nokl", x[:, :, r, c], w)
    return y[:, :, pad:y.shape[2] - pad, pad:y.shape[3] - pad] + b[:, None, None]


def pooled_size(size: int, kernel: int, stride: int, pad: int) -> int:
    out = -(-(size + 2 * pad - kernel) // stride) + 1
    return out - 1 if pad and (out - 1) * stride >= size + pad else out


def pooling(x: Array, *, kernel: int, stride: int, pad: int, method: str) -> Array:
    height, width = x.shape[2:]
    y = np.zeros((*x.shape[:2], *(pooled_size(size, kernel, stride, pad)
                                  for size in (height, width))))
    for r, c in np.ndindex(*y.shape[2:]):
        top, left = r * stride - pad, c * stride - pad
        bottom, right = min(top + kernel, height + pad), min(left + kernel, width + pad)
        window = x[:, :, max(top, 0):bottom, max(left, 0):right]
        if method == "MAX":
            y[:, :, r, c] = window.max(axis=(2, 3))
        else:
            y[:, :, r, c] = window.sum(axis=(2, 3)) / ((bottom - top) * (right - left))
    return y


def lrn(x: Array, *, size: int, alpha: float, beta: float, k: float, within: bool) -> Array:
    energy, half = np.zeros_like(x), size // 2
    if within:
        padded = pad_space(x * x, half)
        for dr, dc in itertools.product(range(size), repeat=2):
            energy += padded[:, :, dr:dr + x.shape[2], dc:dc + x.shape[3]] / size**2
        return x * (1 + alpha * energy) ** -beta
    for c in range(x.shape[1]):
        energy[:, c] = (x[:, max(c - half, 0):c + half + 1] ** 2).sum(axis=1) / size
    return x * (k + alpha * energy) ** -beta


def inner_product(x: Array, w: Array, b: Array, *, axis: int, transpose: bool) -> Array:
    flat = x.reshape(*x.shape[:axis], -1)
    return flat @ (w if transpose else w.T) + b


def softmax(x: Array, axis: int) -> Array:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def batch_norm(x: Array, *, eps: float) -> Array:
    axes = tuple(axis for axis in range(x.ndim) if axis != 1)
    return (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(x.var(axis=axes, keepdims=True) + eps)


def mvn(x: Array, *, eps: float) -> Array:
    mean = x.mean(axis=(2, 3), keepdims=True)
    return (x - mean) / (x.std(axis=(2, 3), keepdims=True) + eps)


def along_channels(values: Array, ndim: int) -> Array:
    """Give (C,) the axes (1, C, 1, ...)."""
    return values.reshape(1, -1, *[1] * (ndim - 2))


def lstm(x: Array, cont: Array, w_x: Array, b: Array, w_h: Array) -> Array:
    steps, streams = cont.shape
    width = w_h.shape[1]
    h, c = np.zeros((streams, width)), np.zeros((streams, width))
    out = []
    for t in range(steps):
        kept = cont[t][:, None]
        gates = x[t].reshape(streams, -1) @ w_x.T + b + (kept * h) @ w_h.T
        i, f, o = (sigmoid(gates[:, n * width:(n + 1) * width]) for n in range(3))
        c = kept * f * c + i * np.tanh(gates[:, 3 * width:])
        h = o * np.tanh(c)
        out.append(h)
    return np.stack(out)


def rnn(x: Array, cont: Array, w_x: Array, b: Array, w_h: Array, w_o: Array, b_o: Array) -> Array:
    steps, streams = cont.shape
    h = np.zeros((streams, w_h.shape[0]))
    out = []
    for t in range(steps):
        h = np.tanh(x[t].reshape(streams, -1) @ w_x.T + b + (cont[t][:, None] * h) @ w_h.T)
        out.append(np.tanh(h @ w_o.T + b_o))
    return np.stack(out)
