"""Im2col: each window of a picture becomes a column of channels."""
from __future__ import annotations

from math import prod
from typing import Any

from ..blob import Blob
from ..errors import ShapeError
from .base import Layer
from .common.checks import axis_of
from .common.window import check_fit, conv_spec, warn_of_overhang


class Im2col(Layer):
    """Write ``y[c K + k, o] = x[c, o s + k d - p]``, zero outside the picture.

    Bottom: lead + (C,) + spatial, the channels at ``convolution_param.axis``; top: lead +
    (C K,) + the spatial sizes of a convolution, K the product of the kernel's sizes and k the
    number of an offset in it. Kernel, stride, pad and dilation are given as for Convolution; all
    other fields are accepted and change nothing. Gradient: each element's copies, summed.

    Raises:
        ShapeError: no spatial axis, a wrong geometry, or a picture smaller than the kernel.

    Source: Caffe's im2col_layer.
    """

    allows_in_place = False

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        param = self.param.convolution_param
        self._axis = axis_of(self, bottom[0], param.axis, "convolution_param", "axis")
        axes = len(bottom[0].shape) - self._axis - 1
        if axes < 1:
            raise self.error(ShapeError, "there is no axis after the channels", got=bottom[0].shape,
                             wanted=f"more than {self._axis + 1} axes",
                             at=("convolution_param", "axis"))
        self.spec = conv_spec(self, axes)
        warn_of_overhang(self, self.spec, bottom[0].shape[self._axis + 1:])
        self._padded = Blob(self.backend)

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        shape, spec = bottom[0].shape, self.spec
        channels, spatial = shape[self._axis], shape[self._axis + 1:]
        if len(spatial) != len(spec.kernel):
            raise self.error(ShapeError, "the number of spatial axes has changed", got=shape,
                             wanted=f"{len(spec.kernel)} after axis {self._axis}")
        self._out = spec.output_size(spatial)
        check_fit(self, spec, spatial)
        rows = bottom[0].count_range(0, self._axis + 1)
        self._padded.reshape(rows, *spec.padded_size(spatial))
        self._inner = (slice(None), *(slice(p, p + n)
                                      for n, p in zip(spatial, spec.pad, strict=True)))
        top[0].reshape(*shape[:self._axis], channels * prod(spec.kernel), *self._out)

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        padded, columns = self._padded.data, self._columns(top[0].data)
        padded.fill(0)
        padded[self._inner] = bottom[0].data.reshape(len(padded), *bottom[0].shape[self._axis + 1:])
        for index, window in self.spec.windows(self._out):
            columns[:, index] = padded[window]

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if not propagate_down[0]:
            return
        padded, columns = self._padded.data, self._columns(top[0].diff)
        padded.fill(0)
        for index, window in self.spec.windows(self._out):
            padded[window] += columns[:, index]
        bottom[0].diff[...] = padded[self._inner].reshape(bottom[0].shape)

    def _columns(self, array: Any) -> Any:
        """Return the top's array as (channels of all items, offsets, *out)."""
        return array.reshape(self._padded.shape[0], prod(self.spec.kernel), *self._out)
