"""SPP: pool a picture of any size into a number of bins that does not depend on it."""
from __future__ import annotations

from typing import Any

from ..backends.specs import PoolSpec
from ..blob import Blob
from ..errors import PrototxtError, ShapeError
from .base import Layer
from .common.stochastic_pool import STOCHASTIC, pool_plan, read_method


class SPP(Layer):
    """Pool (N, C, H, W) into 2**l x 2**l bins at each level l, and join the levels' results.

    Level l has kernel and stride ``k = ceil(size / 2**l)`` and padding
    ``(2**l k - size + 1) // 2``; ``pool`` is as in Pooling. Top: (N, C times all bins), level by
    level. ``engine`` is accepted and changes nothing.

    Raises:
        ShapeError: not four axes, no level, or a picture too small for its bins.
        PrototxtError: STOCHASTIC on a CPU in strict mode.

    Source: Caffe's spp_layer; He et al., "Spatial pyramid pooling in deep convolutional networks".
    """

    allows_in_place = False
    backward_reads_bottom = False

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        self._levels = self.param.spp_param.pyramid_height
        if self._levels == 0:
            raise self.error(PrototxtError, "pyramid_height must be positive", got=0,
                             at=("spp_param",))
        self._method, self._draws = read_method(self, "spp_param")
        self._planned: tuple[int, ...] = ()

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        shape = bottom[0].shape
        if len(shape) != 4 or 0 in shape[1:]:
            raise self.error(ShapeError, "the input must be pictures of four axes", got=shape,
                             wanted="(N, C, H, W)")
        if shape != self._planned:
            self.specs = [self._spec(level, shape[2:]) for level in range(self._levels)]
            self._plans = [pool_plan(self, spec, shape, self._draws) for spec in self.specs]
            self._pooled = [Blob(self.backend, (*shape[:2], *spec.output_size(shape[2:])))
                            for spec in self.specs]
            self._part = Blob(self.backend, shape)
            self._planned = shape
        if self._levels == 1:
            # CAFFE-QUIRK: one level alone keeps its four axes.
            top[0].reshape(*self._pooled[0].shape)
        else:
            top[0].reshape(shape[0], sum(blob.count_range(1) for blob in self._pooled))

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        joined, start = self._joined(top[0].data), 0
        for plan, blob in zip(self._plans, self._pooled, strict=True):
            plan.forward(bottom[0].data, blob.data)
            end = start + blob.count_range(1)
            joined[:, start:end] = blob.data.reshape(-1, end - start)
            start = end

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if not propagate_down[0]:
            return
        joined, start, part = self._joined(top[0].diff), 0, self._part.diff
        bottom[0].diff.fill(0)
        for plan, blob in zip(self._plans, self._pooled, strict=True):
            end = start + blob.count_range(1)
            blob.diff[...] = joined[:, start:end].reshape(blob.shape)
            plan.backward(blob.diff, part)
            bottom[0].diff[...] += part
            start = end

    def state(self) -> dict[str, Any]:
        """Return how often random numbers have been drawn, if they are."""
        return {"calls": self._draws.calls} if self._draws else {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with the random numbers after those."""
        if self._draws:
            self._draws.calls = int(state["calls"])

    def _joined(self, array: Any) -> Any:
        return array.reshape(array.shape[0], sum(blob.count_range(1) for blob in self._pooled))

    def _spec(self, level: int, size: tuple[int, ...]) -> PoolSpec:
        bins = 2**level
        kernel = -(-size[0] // bins), -(-size[1] // bins)
        pad = (kernel[0] * bins - size[0] + 1) // 2, (kernel[1] * bins - size[1] + 1) // 2
        if pad[0] >= kernel[0] or pad[1] >= kernel[1]:
            raise self.error(ShapeError,
                             f"the picture is too small for {bins} x {bins} bins at level {level}",
                             got=size, at=("spp_param", "pyramid_height"),
                             remedy="Feed larger pictures, or lower pyramid_height.")
        if self._method == STOCHASTIC and any(pad):
            raise self.error(ShapeError,
                             f"STOCHASTIC pooling has no padding, which level {level} needs",
                             got=size, wanted=f"multiples of {bins}", at=("spp_param", "pool"))
        return PoolSpec(self._method, kernel, kernel, pad)
