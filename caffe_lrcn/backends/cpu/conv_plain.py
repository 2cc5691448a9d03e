"""Convolution as matrix products over unfolded windows (im2col), in NumPy, for any dimension.

This is the oracle of the faster paths, and the path of float64 and of other than two axes.
Shapes: ``x`` (N, C, *in), ``w`` (M, C / G, *kernel), ``y`` (N, M, *out); for one image, ``columns``
is (C, kernel offsets, *out), so that group ``g`` owns a contiguous block of its rows.
Source: Caffe's base_conv_layer and im2col.
"""
from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..specs import ConvSpec
from . import blas


class PlainConv:
    """One convolution at one bottom shape, with its scratch."""

    def __init__(self, spec: ConvSpec, x_shape: tuple[int, ...], backend: Any) -> None:
        channels, size = x_shape[1], tuple(x_shape[2:])
        out = spec.output_size(size)
        offsets = math.prod(spec.kernel)
        self._spec, self._scratch = spec, backend.scratch
        padded = (channels, *spec.padded_size(size))
        self._padded = backend.zeros(math.prod(padded)).reshape(padded)
        self._inner = (slice(None), *(slice(p, p + n)
                                      for n, p in zip(size, spec.pad, strict=True)))
        self._columns = backend.zeros(channels * offsets * math.prod(out)).reshape(
            (channels, offsets, *out))
        group_rows = channels // spec.group * offsets
        self._matrices = self._columns.reshape(spec.group, group_rows, math.prod(out))
        self._weight_shape = (spec.group, spec.num_output // spec.group, group_rows)
        self._out_shape = (spec.group, spec.num_output // spec.group, math.prod(out))
        self._out = out
        self._bias_sum = backend.zeros(spec.num_output)

    def forward(self, x: np.ndarray, w: np.ndarray, b: np.ndarray | None, y: np.ndarray) -> None:
        """Compute ``y = w * x (+ b)`` (cross-correlation)."""
        weights = w.reshape(self._weight_shape)
        for image, result in zip(x, y, strict=True):
            self._unfold(image)
            blocks = result.reshape(self._out_shape)
            for weight, columns, block in zip(weights, self._matrices, blocks, strict=True):
                blas.gemm(weight, columns, block, self._scratch)
        if b is not None:
            y += b.reshape(-1, *(1 for _ in self._out))

    def backward_data(self, dy: np.ndarray, w: np.ndarray, dx: np.ndarray) -> None:
        """Overwrite ``dx`` with the gradient of the bottom."""
        weights = w.reshape(self._weight_shape)
        for gradient, image in zip(dy, dx, strict=True):
            blocks = gradient.reshape(self._out_shape)
            for weight, columns, block in zip(weights, self._matrices, blocks, strict=True):
                blas.gemm(weight, block, columns, self._scratch, trans_a=True)
            self._fold(image)

    def backward_weights(self, x: np.ndarray, dy: np.ndarray, dw: np.ndarray) -> None:
        """Add the gradient of the weights to ``dw``."""
        totals = dw.reshape(self._weight_shape)
        for image, gradient in zip(x, dy, strict=True):
            self._unfold(image)
            blocks = gradient.reshape(self._out_shape)
            for total, columns, block in zip(totals, self._matrices, blocks, strict=True):
                blas.gemm(block, columns, total, self._scratch, trans_b=True,
                          accumulate=True)

    def backward_bias(self, dy: np.ndarray, db: np.ndarray) -> None:
        """Add the gradient of the bias, ``dy`` summed over images and positions, to ``db``."""
        np.sum(dy, axis=(0, *range(2, dy.ndim)), out=self._bias_sum)
        db += self._bias_sum

    def _unfold(self, image: np.ndarray) -> None:
        self._padded[self._inner] = image
        for index, window in self._spec.windows(self._out):
            self._columns[:, index] = self._padded[window]

    def _fold(self, image: np.ndarray) -> None:
        self._padded.fill(0)
        for index, window in self._spec.windows(self._out):
            self._padded[window] += self._columns[:, index]
        image[...] = self._padded[self._inner]
        self._padded.fill(0)  # _unfold relies on a zero border
