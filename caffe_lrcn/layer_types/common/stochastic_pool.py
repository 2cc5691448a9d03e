"""Stochastic pooling, next to the MAX and AVE pooling that are ops of the backends."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...backends.specs import PoolSpec
from ...errors import PrototxtError
from ..base import TRAIN, Layer

STOCHASTIC = "STOCHASTIC"


@dataclass
class Draws:
    """A sequence of random numbers: its key, and how often it has been drawn from."""

    key: tuple[int, int]
    calls: int = 0


def read_method(layer: Layer, message: str) -> tuple[str, Draws | None]:
    """Return the ``pool`` method of the layer's message, and its draws: STOCHASTIC in training.

    Raises:
        PrototxtError: STOCHASTIC on a CPU in strict mode.
    """
    param = getattr(layer.param, message)
    method = type(param).PoolMethod.Name(param.pool)
    if method != STOCHASTIC:
        return method, None
    # CAFFE-QUIRK: Caffe stops there, because only its CUDA code has this method.
    if layer.context.settings.strict and not layer.backend.is_gpu:
        raise layer.error(PrototxtError, "STOCHASTIC pooling is strictly for GPUs",
                          at=(message, "pool"), remedy="Use a GPU, or leave strict mode.")
    return method, Draws(layer.random_key("pool")) if layer.phase == TRAIN else None


def pool_plan(layer: Layer, spec: PoolSpec, shape: tuple[int, ...], draws: Draws | None) -> Any:
    """Return what pools bottoms of this shape: ``forward(x, y)`` and ``backward(dy, dx)``."""
    if spec.method == STOCHASTIC:
        return StochasticPool(spec, shape, layer.backend, draws)
    return layer.backend.pool.plan(spec, shape, layer.backend)


class StochasticPool:
    """Pick an element of each window with a probability proportional to its value.

    In training (with ``draws``) the first element whose running sum, row by row, is at least
    ``u`` times the window's sum, with a new u in (0, 1] for each window and pass; the gradient
    goes to that element. In testing ``sum(x**2) / sum(x)``, the mean under these probabilities,
    or 0 where the sum is not positive. Values are meant not to be negative; where no running sum
    gets there, the result is 0 and has no gradient. Windows are clipped to the picture.

    Source: Caffe's pooling_layer (CUDA); Zeiler and Fergus, "Stochastic pooling for
    regularization of deep convolutional neural networks".
    """

    def __init__(self, spec: PoolSpec, x_shape: tuple[int, ...], backend: Any,
                 draws: Draws | None) -> None:
        images, channels, *size = x_shape
        out = spec.output_size((size[0], size[1]))
        whole = [max(n, (o - 1) * s + k)
                 for n, o, s, k in zip(size, out, spec.stride, spec.kernel, strict=True)]
        self._spec, self._backend, self._draws = spec, backend, draws
        self._picture = (images * channels, *size)
        self._windows_shape = (images * channels, *out)
        # Zeros on the right and at the bottom add nothing to a window's sums, and are not earlier
        # than the element that its sum is reached with.
        self._padded = self._zeros((images * channels, *whole))
        self._d_padded = self._zeros((images * channels, *whole))
        self._total = self._zeros(self._windows_shape)
        self._work = self._zeros(self._windows_shape)
        self._choice = self._zeros(self._windows_shape, np.int32)

    def forward(self, x: Any, y: Any) -> None:
        """Pool ``x`` (N, C, H, W) to ``y``."""
        height, width = self._picture[1:]
        self._padded[:, :height, :width] = x.reshape(self._picture)
        self._total.fill(0)
        for _, part in self._parts(self._padded):
            self._total += part
        y = y.reshape(self._windows_shape)
        if self._draws is None:
            self._mean(y)
        else:
            self._pick(self._draws, y)

    def backward(self, dy: Any, dx: Any) -> None:
        """Overwrite ``dx`` with the gradient of the last ``forward``."""
        xp, dy = self._backend.xp, dy.reshape(self._windows_shape)
        self._d_padded.fill(0)
        if self._draws is None:
            # CAFFE-QUIRK, mended: Caffe hands the gradient to what it picked in training last.
            slope, change = self._take(), self._take()
            positive, divisor = self._divisor()
            slope.fill(0)
            xp.copyto(slope, dy, where=positive)
            slope /= divisor
            values = self._parts(self._padded)
            for (_, diff), (_, x) in zip(self._parts(self._d_padded), values, strict=True):
                xp.multiply(x, 2, out=change)
                change -= self._means
                change *= slope
                diff += change
        else:
            chosen = self._take(bool)
            for index, diff in self._parts(self._d_padded):
                xp.equal(self._choice, index, out=chosen)
                diff += xp.multiply(dy, chosen, out=self._work)
        height, width = self._picture[1:]
        dx[...] = self._d_padded[:, :height, :width].reshape(dx.shape)

    def _mean(self, y: Any) -> None:
        xp = self._backend.xp
        y.fill(0)
        for _, part in self._parts(self._padded):
            y += xp.multiply(part, part, out=self._work)
        positive, divisor = self._divisor()
        y /= divisor
        y *= positive
        self._means = self._work  # a copy: later layers may change the top in place
        self._means[...] = y

    def _pick(self, draws: Draws, y: Any) -> None:
        xp, running, total = self._backend.xp, self._work, self._total
        words, share, threshold = self._take(np.uint32), self._take(np.float64), self._take()
        self._backend.elementwise.random_words(draws.key, draws.calls, words)
        draws.calls += 1
        xp.add(words, 1.0, out=share)  # (0, 1] once it is divided by 2**32
        share *= 2.0**-32
        threshold[...] = share
        threshold *= total
        first, undecided = self._take(bool), self._take(bool)
        running.fill(0)
        self._choice.fill(-1)
        xp.multiply(total, 0, out=y)  # what stays undecided: 0, or NaN where the window has one
        for index, part in self._parts(self._padded):
            running += part
            xp.greater_equal(running, threshold, out=first)
            xp.less(self._choice, 0, out=undecided)
            xp.logical_and(first, undecided, out=first)
            xp.copyto(self._choice, index, where=first)
            xp.copyto(y, part, where=first)

    def _divisor(self) -> tuple[Any, Any]:
        """Return where windows have a positive sum, and the sums, 1 where they have none."""
        positive, divisor = self._take(bool), self._take()
        self._backend.xp.greater(self._total, 0, out=positive)
        divisor.fill(1)
        self._backend.xp.copyto(divisor, self._total, where=positive)
        return positive, divisor

    def _take(self, dtype: Any = None) -> Any:
        return self._backend.scratch.take(self._windows_shape, dtype)

    def _parts(self, padded: Any) -> Iterator[tuple[int, Any]]:
        """Yield each offset in the kernel, row by row, with all windows' elements there."""
        (rows, columns), (down, right) = self._spec.kernel, self._spec.stride
        height, width = self._windows_shape[1:]
        for index in range(rows * columns):
            i, j = divmod(index, columns)
            yield index, padded[:, i:i + (height - 1) * down + 1:down,
                                j:j + (width - 1) * right + 1:right]

    def _zeros(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        count = 1
        for size in shape:
            count *= size
        return self._backend.zeros(count, dtype).reshape(shape)
