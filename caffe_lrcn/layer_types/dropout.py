"""Dropout: drop units at random in training."""
from __future__ import annotations

from typing import Any

import numpy as np

from ..blob import Blob
from ..errors import PrototxtError
from .base import TRAIN, Layer


class Dropout(Layer):
    """In training ``y = x * m / (1 - r)`` with ``m`` 0 for a share ``r`` of the units, else 1.

    In testing ``y = x``. Masks come from the layer's random key and the number of training
    passes, so they are the same on every device.

    Raises:
        PrototxtError: ``dropout_ratio`` is outside [0, 1).

    Source: Caffe's dropout_layer; Srivastava et al., "Dropout".
    """

    backward_reads_bottom = False

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        ratio = self.param.dropout_param.dropout_ratio
        if not 0 <= ratio < 1:
            raise self.error(PrototxtError, "dropout_ratio is not a share of units to drop",
                             got=ratio, wanted="at least 0, below 1",
                             at=("dropout_param", "dropout_ratio"))
        self._threshold, self._scale = int(ratio * 2**32), 1 / (1 - ratio)
        self._key, self._calls = self.random_key("mask"), 0
        self._mask: Any = None

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        top[0].reshape_like(bottom[0])
        count = bottom[0].count
        if self.phase == TRAIN and (self._mask is None or self._mask.size < count):
            self._mask = self.backend.zeros(count, np.uint32)

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        if self.phase == TRAIN:
            self.backend.elementwise.dropout_forward(
                bottom[0].data, self._mask[:bottom[0].count], self._key, self._calls,
                self._threshold, self._scale, top[0].data, self.backend.scratch)
            self._calls += 1
        elif top[0] is not bottom[0]:
            top[0].data[...] = bottom[0].data

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if not propagate_down[0]:
            return
        if self.phase == TRAIN:
            self.backend.elementwise.dropout_backward(
                top[0].diff, self._mask[:bottom[0].count], self._threshold, self._scale,
                bottom[0].diff, self.backend.scratch)
        elif top[0] is not bottom[0]:
            bottom[0].diff[...] = top[0].diff

    def state(self) -> dict[str, Any]:
        return {"calls": self._calls}

    def restore(self, state: dict[str, Any]) -> None:
        self._calls = int(state["calls"])
