"""Filter: let only the selected samples of a batch through."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from ..errors import NetError, ShapeError
from .base import Arity, Layer


class Filter(Layer):
    """Forward those samples (axis 0) whose selector, the last bottom, is not zero.

    Bottoms: any number of blobs with N samples, then the selector, (N,) or (N, 1, ...). Tops: one
    for each blob, with as many samples as are selected, maybe none. Samples that are left out get
    a gradient of 0.

    Raises:
        NetError: the tops are not one less than the bottoms, or the selector's gradient is asked
            for.
        ShapeError: a selector with more than one value per sample, or batch sizes that differ.

    Source: Caffe's filter_layer.
    """

    bottoms = Arity(2)
    tops = Arity(1)
    allows_in_place = False
    capturable = False

    def allow_force_backward(self, bottom: int) -> bool:
        return bottom < len(self.param.bottom) - 1

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        if len(top) != len(bottom) - 1:
            raise self.error(NetError, "each bottom but the selector needs a top",
                             got=f"{len(top)} tops", wanted=len(bottom) - 1)
        self._selected: Any = None
        self._has_run = False

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        selector = bottom[-1]
        if not selector.shape or selector.count_range(1) != 1:
            raise self.error(ShapeError, "the selector must hold one value per sample",
                             got=selector.shape, wanted="(N,) or (N, 1, ...)",
                             at=("bottom", len(bottom) - 1))
        for i, blob in enumerate(bottom[:-1]):
            if blob.shape[:1] != selector.shape[:1]:
                raise self.error(ShapeError, "a bottom and the selector differ in axis 0",
                                 got=blob.shape, wanted=f"({selector.shape[0]}, ...)",
                                 at=("bottom", i))
        # CAFFE-QUIRK: until the first pass the tops show the whole batch.
        kept = len(self._rows(selector)) if self._has_run else selector.shape[0]
        self._reshape_tops(bottom, top, kept)

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        self._has_run = True
        self._selected = self._rows(bottom[-1])
        self._reshape_tops(bottom, top, len(self._selected))
        for source, target in zip(bottom, top, strict=False):
            target.data[...] = source.data[self._selected]

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if propagate_down[-1]:
            raise self.error(NetError, "the selector has no gradient",
                             at=("bottom", len(bottom) - 1),
                             remedy="Say propagate_down: false for it.")
        for source, target, wanted in zip(bottom, top, propagate_down, strict=False):
            if wanted:
                source.diff.fill(0)
                source.diff[self._selected] = target.diff

    def _rows(self, selector: Blob) -> Any:
        return self.xp.flatnonzero(selector.data)

    def _reshape_tops(self, bottom: list[Blob], top: list[Blob], kept: int) -> None:
        for source, target in zip(bottom, top, strict=False):
            target.reshape(kept, *source.shape[1:])
