"""Silence: take blobs off the list of outputs."""
from __future__ import annotations

from ..blob import Blob
from .base import Arity, Layer, exactly


class Silence(Layer):
    """Swallows its bottoms, whose gradient is 0. Source: Caffe's silence_layer."""

    bottoms = Arity(1)
    tops = exactly(0)
    backward_reads_bottom = False

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        pass

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        pass

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        for blob, wanted in zip(bottom, propagate_down, strict=True):
            if wanted:
                blob.diff.fill(0)
