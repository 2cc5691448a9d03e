"""Eltwise: sum, product or maximum of blobs of one shape."""
from __future__ import annotations

import logging
from typing import Any

import numpy as np

from ..blob import Blob
from ..errors import PrototxtError
from ..proto import caffe_pb2
from .base import Arity, Layer

_PROD, _SUM, _MAX = (caffe_pb2.EltwiseParameter.EltwiseOp.Value(name)
                     for name in ("PROD", "SUM", "MAX"))
_log = logging.getLogger(__name__)


class Eltwise(Layer):
    """``y = sum(coeff_i * x_i)``, ``prod(x_i)`` or ``max(x_i)``, element by element.

    Raises:
        ShapeError: bottoms of different shapes.
        PrototxtError: ``coeff`` with PROD, or not one a bottom.

    Source: Caffe's eltwise_layer.
    """

    bottoms = Arity(2)
    allows_in_place = False

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        param = self.param.eltwise_param
        at = ("eltwise_param", "coeff")
        if param.coeff and param.operation == _PROD:
            raise self.error("coeff works with SUM only", got="operation: PROD", at=at,
                             kind=PrototxtError, remedy="Leave out coeff, or scale the bottoms.")
        if param.coeff and len(param.coeff) != len(bottom):
            raise self.error("coeff must be given once a bottom, or not at all",
                             got=len(param.coeff), wanted=len(bottom), at=at, kind=PrototxtError)
        if param.coeff and param.operation == _MAX:
            # CAFFE-QUIRK: MAX takes coeff and ignores it.
            _log.warning("%s: layer '%s': coeff has no effect on operation: MAX",
                         self.context.place.at(*at), self.name)
        self._coeff = list(param.coeff) or [1.0] * len(bottom)
        self._winner: Any = None
        self._work = Blob(self.backend)

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        for i, blob in enumerate(bottom[1:], start=1):
            if blob.shape != bottom[0].shape:
                raise self.error(f"bottoms 0 and {i} differ in shape", got=blob.shape,
                                 wanted=bottom[0].shape, at=("bottom", i))
        top[0].reshape_like(bottom[0])
        self._work.reshape_like(bottom[0])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        xs, y = [blob.data for blob in bottom], top[0].data
        operation = self.param.eltwise_param.operation
        if operation == _SUM:
            self._sum(xs, y)
        elif operation == _PROD:
            _product(self.xp, xs, y)
        else:
            self._max(xs, y)

    def _sum(self, xs: list[Any], y: Any) -> None:
        self.xp.multiply(xs[0], self._coeff[0], out=y)
        for x, coeff in zip(xs[1:], self._coeff[1:], strict=True):
            if coeff != 1:
                x = self.xp.multiply(x, coeff, out=self._work.data)
            self.xp.add(y, x, out=y)

    def _max(self, xs: list[Any], y: Any) -> None:
        # CAFFE-QUIRK: of the first two the second wins ties; later bottoms must be larger to win.
        first = xs[0] > xs[1]
        self._winner = self.xp.where(first, np.int32(0), np.int32(1))
        y[...] = self.xp.where(first, xs[0], xs[1])
        for i, x in enumerate(xs[2:], start=2):
            larger = x > y
            self._winner[larger] = i
            y[...] = self.xp.where(larger, x, y)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        operation, dy = self.param.eltwise_param.operation, top[0].diff
        for i, blob in enumerate(bottom):
            if not propagate_down[i]:
                continue
            if operation == _SUM:
                self.xp.multiply(dy, self._coeff[i], out=blob.diff)
            elif operation == _MAX:
                self.xp.multiply(dy, self._winner == i, out=blob.diff)
            else:
                self._product_backward(i, top[0], bottom)

    def _product_backward(self, i: int, top: Blob, bottom: list[Blob]) -> None:
        dx, strict = bottom[i].diff, self.context.settings.strict
        if strict and not self.param.eltwise_param.stable_prod_grad:
            # CAFFE-QUIRK: y / x is NaN where x is 0.
            with np.errstate(all="ignore"):
                self.xp.divide(top.data, bottom[i].data, out=dx)
        else:
            _product(self.xp, [b.data for j, b in enumerate(bottom) if j != i], dx)
        self.xp.multiply(dx, top.diff, out=dx)


def _product(xp: Any, xs: list[Any], y: Any) -> None:
    y[...] = xs[0]
    for x in xs[1:]:
        xp.multiply(y, x, out=y)
