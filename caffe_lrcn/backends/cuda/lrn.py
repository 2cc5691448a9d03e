"""Local response normalisation of (N, C, H, W) images. Source: Caffe's lrn_layer."""
from __future__ import annotations

from math import prod
from typing import Any

from ..specs import LRNSpec
from .checks import same_size
from .compile import launch

_SOURCE = "lrn.cu"


def plan(spec: LRNSpec, x_shape: tuple[int, int, int, int], backend: Any) -> LRN:
    """Return the object that normalises bottoms of one shape; see ``cpu/lrn.py``."""
    return LRN(spec, x_shape, backend)


class LRN:
    """One normalisation at one bottom shape: ``y = x s^-beta``, with its ``s``."""

    def __init__(self, spec: LRNSpec, x_shape: tuple[int, int, int, int], backend: Any) -> None:
        _, channels, height, width = x_shape
        self._scale = backend.zeros(prod(x_shape))
        self._beta = spec.beta
        self._y: Any = None  # within a channel: the top, which a layer in place may have changed
        if spec.within:
            self._y = backend.zeros(prod(x_shape))
            self._region, window = "within", spec.size**2
            self._geometry = (height, width, spec.size)
        else:
            self._region, window = "across", spec.size
            self._geometry = (channels, height * width, spec.size)
        self._ratio = spec.alpha / window
        # CAFFE-QUIRK: within a channel the constant is 1, whatever k says.
        self._constant = 1.0 if spec.within else spec.k

    def forward(self, x: Any, y: Any) -> None:
        """Write the normalised ``x`` to ``y`` and keep ``s``."""
        count = same_size(x=x, y=y, scale=self._scale)
        launch(_SOURCE, f"lrn_scale_{self._region}", count,
               (x, *self._geometry, self._ratio, self._constant, self._scale), y.dtype)
        launch(_SOURCE, "lrn_output", count, (x, self._scale, self._beta, y), y.dtype)

    def backward(self, x: Any, y: Any, dy: Any, dx: Any) -> None:
        """Overwrite ``dx``, which is none of the other arrays, with the gradient of the bottom."""
        count = same_size(x=x, y=y, dy=dy, dx=dx, scale=self._scale)
        if self._y is not None:
            y = self._y
            launch(_SOURCE, "lrn_output", count, (x, self._scale, self._beta, y), y.dtype)
        launch(_SOURCE, f"lrn_backward_{self._region}", count,
               (x, y, self._scale, dy, *self._geometry, 2 * self._ratio * self._beta, self._beta,
                dx), dx.dtype)
