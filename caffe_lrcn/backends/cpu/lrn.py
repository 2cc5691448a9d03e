"""Local response normalisation on the CPU, image by image so that the scratch stays in cache.

Across channels ``s = k + alpha / n * sum of x^2 over n neighbouring channels``; within a channel
``s = 1 + alpha * mean of x^2 over the n x n window``; ``y = x s^-beta``, and
``dx = dy s^-beta - 2 alpha beta / n * x * (window sum of dy y / s)`` (``n^2`` within a channel).
Across channels ``y`` is the top as backward finds it, within a channel it is computed from ``x``.
Zeros lie beyond the borders and count. Source: Caffe's lrn_layer.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ..specs import LRNSpec


def plan(spec: LRNSpec, x_shape: tuple[int, int, int, int], backend: Any) -> PlainLRN:
    """Return the object that normalises bottoms of one shape (N, C, H, W).

    Its methods are ``forward(x, y)`` and ``backward(x, y, dy, dx)``; backward uses the ``s`` of the
    last forward run.
    """
    return PlainLRN(spec, x_shape, backend)


class PlainLRN:
    """One normalisation at one bottom shape, with its scratch."""

    def __init__(self, spec: LRNSpec, x_shape: tuple[int, int, int, int], backend: Any) -> None:
        _, channels, height, width = x_shape
        half = spec.size // 2
        # CAFFE-QUIRK: within a channel the constant is 1, whatever k says.
        self._constant = 1.0 if spec.within else spec.k
        self._axes = (1, 2) if spec.within else (0,)
        self._factor = spec.alpha / spec.size ** len(self._axes)
        self._size, self._beta, self._within = spec.size, spec.beta, spec.within
        border = [half if axis in self._axes else 0 for axis in range(3)]
        image = (channels, height, width)
        padded = tuple(n + 2 * p for n, p in zip(image, border, strict=True))
        self._scale = backend.zeros(int(np.prod(x_shape))).reshape(x_shape)
        self._padded = backend.zeros(int(np.prod(padded))).reshape(padded)
        self._inner = tuple(slice(p, p + n) for n, p in zip(image, border, strict=True))
        self._rows = backend.zeros(int(np.prod(padded))).reshape(padded)
        self._sum, self._power, self._root = (
            backend.zeros(int(np.prod(image))).reshape(image) for _ in range(3))

    def forward(self, x: np.ndarray, y: np.ndarray) -> None:
        """Write the normalised ``x`` to ``y`` and keep ``s``."""
        for image, result, scale in zip(x, y, self._scale, strict=True):
            np.multiply(image, image, out=self._padded[self._inner])
            self._sum_windows(scale)
            scale *= self._factor
            scale += self._constant
            np.divide(image, self._raise(scale), out=result)

    def backward(self, x: np.ndarray, y: np.ndarray, dy: np.ndarray, dx: np.ndarray) -> None:
        """Overwrite ``dx`` with the gradient of the bottom."""
        # CAFFE-QUIRK: across channels a layer in place on the top spoils the gradient.
        for image, top, d_top, d_bottom, scale in zip(x, y, dy, dx, self._scale, strict=True):
            ratio, power = self._padded[self._inner], self._raise(scale)
            np.multiply(d_top, image if self._within else top, out=ratio)
            if self._within:
                ratio /= power
            ratio /= scale
            self._sum_windows(self._sum)
            self._sum *= image
            self._sum *= 2 * self._factor * self._beta
            np.divide(d_top, power, out=d_bottom)
            d_bottom -= self._sum

    def _sum_windows(self, out: np.ndarray) -> None:
        """Sum ``_padded`` over the window, one axis after the other, into ``out``."""
        source = self._padded
        for axis in self._axes:
            length = source.shape[axis] - self._size + 1
            last = axis == self._axes[-1]
            target = out if last else self._rows[self._shortened(axis, length)]
            for offset in range(self._size):
                part = source[(slice(None),) * axis + (slice(offset, offset + length),)]
                if offset == 0:
                    np.copyto(target, part)
                else:
                    target += part
            source = target

    @staticmethod
    def _shortened(axis: int, length: int) -> tuple[slice, ...]:
        return (slice(None),) * axis + (slice(length),)

    def _raise(self, scale: np.ndarray) -> np.ndarray:
        """Return ``scale ** beta`` in scratch."""
        if self._beta == 0.75:
            np.sqrt(scale, out=self._root)
            np.sqrt(self._root, out=self._power)
            self._power *= self._root
        else:
            np.power(scale, self._beta, out=self._power)
        return self._power
