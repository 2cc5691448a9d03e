"""BatchNorm: normalise each channel to mean 0 and variance 1."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from ..errors import PrototxtError, ShapeError
from .base import TEST, Layer


class BatchNorm(Layer):
    """``y = (x - mean) / sqrt(var + eps)`` for each channel (axis 1).

    In training mean and (biased) variance are the batch's, and running sums of them are kept; in
    testing, or as ``use_global_stats`` says, those sums over their weight are used. Parameters:
    sum of means (C,), sum of unbiased variances (C,), weight of the sums (1,); none of them
    learns by gradient. A learnable scale and bias are a Scale layer's.

    Raises:
        ShapeError: fewer than two axes, or a channel count that changes later.
        PrototxtError: a ``param`` whose ``lr_mult`` is not 0.

    Source: Caffe's batch_norm_layer; Ioffe and Szegedy, "Batch normalization".
    """

    backward_reads_bottom = False

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        if len(bottom[0].shape) < 2:
            raise self.error(ShapeError, "BatchNorm needs a channel axis", got=bottom[0].shape,
                             wanted="(N, C, ...)", at=("bottom", 0))
        param = self.param.batch_norm_param
        self._global = (param.use_global_stats if param.HasField("use_global_stats")
                        else self.phase == TEST)
        self._fraction, self._eps = param.moving_average_fraction, param.eps
        channels = bottom[0].shape[1]
        for shape in ((channels,), (channels,), (1,)):
            self.add_param(shape)
        self._freeze_params()
        self._mean, self._var, self._inverse = (Blob(self.backend, (channels,)) for _ in range(3))
        # Kept apart from the top, which a Scale or ReLU in place may overwrite.
        self._normalised, self._work = Blob(self.backend), Blob(self.backend)

    def _freeze_params(self) -> None:
        specs = self.param.param
        for i in range(len(self.blobs)):
            if i == len(specs):
                specs.add(lr_mult=0)
            elif specs[i].lr_mult != 0:
                raise self.error(PrototxtError, "the sums of BatchNorm do not learn by gradient",
                                 got=f"lr_mult: {specs[i].lr_mult:g}", wanted="lr_mult: 0",
                                 at=("param", i),
                                 remedy="Leave out param; learn scale and bias in a Scale layer.")

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        shape, channels = bottom[0].shape, self.blobs[0].count
        if len(shape) < 2 or shape[1] != channels:
            raise self.error(ShapeError, "the number of channels has changed", got=shape,
                             wanted=f"(N, {channels}, ...)", at=("bottom", 0))
        top[0].reshape(*shape)
        self._view = (shape[0], channels, bottom[0].count_range(2))
        if not self._global:
            self._normalised.reshape(*shape)
            self._work.reshape(*shape)

    def multiply_adds(self, bottom: list[Blob], top: list[Blob]) -> int:
        return top[0].count

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        mean, var, inverse = self._mean.data, self._var.data, self._inverse.data
        x, y = bottom[0].data.reshape(self._view), top[0].data.reshape(self._view)
        ops, xp = self.backend.elementwise, self.xp
        if self._global:
            self._running_statistics(mean, var)
        else:
            self._average(x, mean)
        xp.negative(mean, out=inverse)
        ops.bias_add(x, inverse, y)
        if not self._global:
            square = self._work.data.reshape(self._view)
            xp.multiply(y, y, out=square)
            self._average(square, var)
            self._update_running_statistics(mean, var)
        xp.add(var, self._eps, out=inverse)
        xp.sqrt(inverse, out=inverse)
        xp.divide(1, inverse, out=inverse)
        ops.channel_scale(y, inverse, None, y)
        if not self._global:
            self._normalised.data[...] = top[0].data

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if not propagate_down[0]:
            return
        dy, dx = top[0].diff.reshape(self._view), bottom[0].diff.reshape(self._view)
        ops, xp, mean = self.backend.elementwise, self.xp, self._mean.data
        if not self._global:
            # dx = (dy - mean(dy) - y * mean(dy * y)) / sqrt(var + eps)
            y, work = self._normalised.data.reshape(self._view), self._work.data.reshape(self._view)
            xp.multiply(dy, y, out=work)
            self._average(work, mean)
            ops.channel_scale(y, mean, None, work)
            self._average(dy, mean)
            xp.subtract(dy, work, out=dx)
            xp.negative(mean, out=mean)
            ops.bias_add(dx, mean, dx)
            dy = dx
        ops.channel_scale(dy, self._inverse.data, None, dx)

    def _average(self, x: Any, out: Any) -> None:
        out.fill(0)
        self.backend.elementwise.sum_to_channels(x, out, self.backend.scratch)
        self.xp.multiply(out, 1 / max(self._view[0] * self._view[2], 1), out=out)

    def _running_statistics(self, mean: Any, var: Any) -> None:
        # CAFFE-QUIRK: an untouched layer has sums and weight 0 and then divides by sqrt(eps).
        weight = self.blobs[2].data
        factor, untouched = (self.backend.scratch.take(1, dtype) for dtype in (None, bool))
        self.xp.equal(weight, 0, out=untouched)
        self.xp.add(weight, untouched, out=factor)
        self.xp.divide(1, factor, out=factor)
        self.xp.copyto(factor, 0, where=untouched)
        self.xp.multiply(self.blobs[0].data, factor, out=mean)
        self.xp.multiply(self.blobs[1].data, factor, out=var)

    def _update_running_statistics(self, mean: Any, var: Any) -> None:
        # CAFFE-QUIRK: every forward pass counts, with or without a backward pass.
        samples = self._view[0] * self._view[2]
        unbiased = self.backend.scratch.take(var.shape)
        self.xp.multiply(var, samples / (samples - 1) if samples > 1 else 1.0, out=unbiased)
        for blob, value in zip(self.blobs, (mean, unbiased, 1), strict=True):
            self.xp.multiply(blob.data, self._fraction, out=blob.data)
            self.xp.add(blob.data, value, out=blob.data)
