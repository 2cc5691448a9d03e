"""LRN: local response normalisation."""
from __future__ import annotations

from typing import Any

from ..backends.specs import LRNSpec
from ..blob import Blob
from ..errors import PrototxtError, ShapeError
from .base import Layer


class LRN(Layer):
    """Divide each value by a power of the energy around it: ``y = x s^-beta``.

    ACROSS_CHANNELS: ``s = k + alpha/n * sum of x^2`` over n neighbouring channels.
    WITHIN_CHANNEL: ``s = 1 + alpha * mean of x^2`` over n x n pixels, padding included.
    Bottom and top: (N, C, H, W); in place the layer keeps a copy of the bottom. ``engine`` is
    accepted and changes nothing. Source: Caffe's lrn_layer; Krizhevsky et al. 2012, section 3.3.
    """

    _plan: Any = None

    @classmethod
    def reads_top_again(cls, param: Any) -> bool:
        """Within a channel the gradient is computed from the bottom alone."""
        return param.lrn_param.norm_region != param.lrn_param.WITHIN_CHANNEL

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Check the definition."""
        param = self.param.lrn_param
        if param.local_size % 2 == 0:
            raise self.error(PrototxtError, "local_size must be odd", got=param.local_size,
                             at=("lrn_param", "local_size"))
        # CAFFE-QUIRK: k is 1 within a channel, whatever the definition says.
        within = param.norm_region == param.WITHIN_CHANNEL
        self.spec = LRNSpec(param.local_size, param.alpha, param.beta,
                            1.0 if within else param.k, within)
        self._planned: tuple[int, ...] = ()
        # In place: the bottom, and the top's gradient while the bottom's is written over it.
        self._kept = Blob(self.backend) if bottom[0] is top[0] else None

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Give the top the bottom's shape."""
        shape = bottom[0].shape
        if len(shape) != 4:
            raise self.error(ShapeError, "the input must have four axes", got=shape,
                             wanted="(N, C, H, W)")
        top[0].reshape(*shape)
        if self._kept:
            self._kept.reshape(*shape)
        if shape != self._planned:
            self._planned = shape
            self._plan = self.backend.lrn.plan(self.spec, shape, self.backend)

    def multiply_adds(self, bottom: list[Blob], top: list[Blob]) -> int:
        """Count the window for each value."""
        return top[0].count * self.spec.size ** (2 if self.spec.within else 1)

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Normalise."""
        if self._kept:
            self._kept.data[...] = bottom[0].data
        self._plan.forward((self._kept or bottom[0]).data, top[0].data)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        """Compute the gradient of the bottom."""
        if not propagate_down[0]:
            return
        if self._kept:
            self._kept.diff[...] = top[0].diff
        self._plan.backward((self._kept or bottom[0]).data, top[0].data,
                            (self._kept or top[0]).diff, bottom[0].diff)
