"""Geometry of convolution and pooling: what an op needs to know, and Caffe's size rules."""
from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class ConvSpec:
    """An N-dimensional convolution of bottoms ``lead + (C,) + spatial``.

    ``kernel``, ``stride``, ``pad`` and ``dilation`` have one entry per spatial axis; ``group``
    divides both channel counts.
    """

    num_output: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    dilation: tuple[int, ...]
    group: int = 1
    bias: bool = True

    def output_size(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """Return ``(in + 2p - (d(k-1)+1)) / s + 1``, cut towards 0, for each spatial axis."""
        # CAFFE-QUIRK: a window that sticks out by less than the stride still makes a top of size 1.
        return tuple((span // s if span >= 0 else -(-span // s)) + 1
                     for span, s in zip(self._spans(size), self.stride, strict=True))

    def padded_size(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """Return for each spatial axis the input with its padding, or the window if it is larger.

        What the window covers beyond the padding counts as zeros, too.
        """
        return tuple(n + 2 * p + max(0, -span) for n, p, span in
                     zip(size, self.pad, self._spans(size), strict=True))

    def _spans(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """Return how far the window can move along each padded axis."""
        return tuple(n + 2 * p - (d * (k - 1) + 1) for n, k, p, d in
                     zip(size, self.kernel, self.pad, self.dilation, strict=True))

    def windows(self, out: tuple[int, ...]) -> Iterator[tuple[int, tuple[slice, ...]]]:
        """Yield each offset in the kernel, numbered, with where it meets a padded (C, *in) input.

        Output o of the ``out`` ones of an axis reads ``padded[o * stride + offset * dilation]``.
        """
        for index, offset in enumerate(itertools.product(*map(range, self.kernel))):
            yield index, (slice(None), *(
                slice(i * d, i * d + (o - 1) * s + 1, s) for i, d, o, s
                in zip(offset, self.dilation, out, self.stride, strict=True)))


@dataclass(frozen=True)
class PoolSpec:
    """A two-dimensional pooling.

    ``method`` is ``MAX`` or ``AVE``, the ops of the backends, or ``STOCHASTIC``, which the layer
    computes itself.
    """

    method: str
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    pad: tuple[int, int] = (0, 0)
    floor: bool = False

    def output_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the pooled height and width by Caffe's rule.

        ``ceil`` (or ``floor``) of ``(in + 2p - k) / s``, plus one; with any padding, a last window
        that would start beyond the padded image is dropped.
        """
        sizes = []
        for n, k, s, p in zip(size, self.kernel, self.stride, self.pad, strict=True):
            span = n + 2 * p - k
            out = (span // s if self.floor else -(-span // s)) + 1
            if any(self.pad) and (out - 1) * s >= n + p:
                out -= 1
            sizes.append(out)
        return sizes[0], sizes[1]


@dataclass(frozen=True)
class LRNSpec:
    """Local response normalisation: ``within`` channel or across channels, window ``size``."""

    size: int
    alpha: float
    beta: float
    k: float
    within: bool = False
