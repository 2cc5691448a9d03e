"""Eltwise: sum, product or maximum of blobs of one shape."""
from __future__ import annotations

from typing import Any

import numpy as np

from .. import glog
from ..blob import Blob
from ..errors import PrototxtError, ShapeError
from ..proto import caffe_pb2
from .base import Arity, Layer
from .common.checks import difference

_PROD, _SUM, _MAX = (caffe_pb2.EltwiseParameter.EltwiseOp.Value(name)
                     for name in ("PROD", "SUM", "MAX"))
class Eltwise(Layer):
    """``y = sum(coeff_i * x_i)``, ``prod(x_i)`` or ``max(x_i)``, element by element.

    With ``coeff_blob`` the last bottom is not an input but holds further factors of a sum:
    ``y = sum(coeff_i * c[i] * x_i)``. Its axis 0 counts the inputs; its other axes are the first
    ones of the inputs, and each factor holds for all the axes that follow. It gets a gradient.

    Raises:
        ShapeError: inputs of different shapes, or factors that do not fit them.
        PrototxtError: ``coeff`` with PROD, or not one an input; ``coeff_blob`` without SUM.

    Source: Caffe's eltwise_layer; ``coeff_blob`` is from the LRCN activity branch.
    """

    bottoms = Arity(2)
    allows_in_place = False

    @classmethod
    def reads_bottom_again(cls, param: Any) -> bool:
        """Only the factors of products need each other."""
        return param.eltwise_param.operation == _PROD or param.eltwise_param.coeff_blob

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        param = self.param.eltwise_param
        at = ("eltwise_param", "coeff")
        if param.coeff_blob and param.operation != _SUM:
            raise self.error(PrototxtError, "coeff_blob works with SUM only",
                             got=f"operation: {param.EltwiseOp.Name(param.operation)}",
                             at=("eltwise_param", "coeff_blob"))
        if param.coeff and param.operation == _PROD:
            raise self.error(PrototxtError, "coeff works with SUM only", got="operation: PROD",
                             at=at, remedy="Leave out coeff, or scale the bottoms.")
        self._inputs = len(bottom) - param.coeff_blob
        if param.coeff and len(param.coeff) != self._inputs:
            raise self.error(PrototxtError, "coeff must be given once an input, or not at all",
                             got=len(param.coeff), wanted=self._inputs, at=at)
        if param.coeff and param.operation == _MAX:
            # CAFFE-QUIRK: MAX takes coeff and ignores it.
            glog.warning("%s: layer '%s': coeff has no effect on operation: MAX",
                         self.context.place.at(*at), self.name)
        self._coeff = list(param.coeff) or [1.0] * self._inputs
        self._winner: Any = None  # of MAX: the number of the bottom, for each element
        self._work = Blob(self.backend)

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        for i, blob in enumerate(bottom[1:self._inputs], start=1):
            wrong = difference(blob.shape, bottom[0].shape)
            if wrong:
                raise self.error(ShapeError, f"bottoms 0 and {i} differ {wrong}", got=blob.shape,
                                 wanted=bottom[0].shape, at=("bottom", i))
        if self.param.eltwise_param.coeff_blob:
            self._check_factors(bottom)
        top[0].reshape_like(bottom[0])
        self._work.reshape_like(bottom[0])
        if self.param.eltwise_param.operation == _MAX and (
                self._winner is None or self._winner.size < top[0].count):
            self._winner = self.backend.zeros(top[0].count, np.int32)

    def _check_factors(self, bottom: list[Blob]) -> None:
        shape, axes = bottom[-1].shape, len(bottom[-1].shape) - 1
        wanted = (self._inputs, *bottom[0].shape[:max(axes, 0)])
        if shape != wanted:
            raise self.error(ShapeError, "the factors do not fit the inputs", got=shape,
                             at=("bottom", len(bottom) - 1),
                             wanted=f"{wanted} for {self._inputs} inputs of shape "
                                    f"{bottom[0].shape}")
        self._view = 1, bottom[0].count_range(0, axes), bottom[0].count_range(axes)

    def multiply_adds(self, bottom: list[Blob], top: list[Blob]) -> int:
        return top[0].count * (len(bottom) - 1)

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        operation, y = self.param.eltwise_param.operation, top[0].data
        if operation == _SUM:
            self._sum(bottom, y)
        elif operation == _PROD:
            _product(self.xp, [blob.data for blob in bottom], y)
        else:
            self._max([blob.data for blob in bottom], y)

    def _sum(self, bottom: list[Blob], y: Any) -> None:
        self._weigh(0, bottom[0].data, bottom, y)
        for i, blob in enumerate(bottom[1:self._inputs], start=1):
            x = blob.data
            if self._coeff[i] != 1 or self.param.eltwise_param.coeff_blob:
                x = self._weigh(i, x, bottom, self._work.data)
            self.xp.add(y, x, out=y)

    def _weigh(self, i: int, x: Any, bottom: list[Blob], out: Any) -> Any:
        """Write ``x`` times the factors of input ``i``, and return ``out``."""
        if not self.param.eltwise_param.coeff_blob:
            return self.xp.multiply(x, self._coeff[i], out=out)
        factors = self.backend.scratch.take(self._view[1])
        self.xp.multiply(self._by_input(bottom[-1].data)[i], self._coeff[i], out=factors)
        self.backend.elementwise.channel_scale(x.reshape(self._view), factors, None,
                                               out.reshape(self._view))
        return out

    def _by_input(self, factors: Any) -> Any:
        return factors.reshape(self._inputs, self._view[1])

    def _max(self, xs: list[Any], y: Any) -> None:
        # CAFFE-QUIRK: of the first two the second wins ties; later bottoms must be larger to win.
        xp = self.xp
        for y_, winner, second, first, *others in self.backend.pieces(
                y, self._winner[:y.size], xs[1], xs[0], *xs[2:]):
            larger = self.backend.scratch.take(y_.shape, bool)
            y_[...] = second
            xp.greater(first, second, out=larger)
            xp.copyto(y_, first, where=larger)
            winner[...] = xp.logical_not(larger, out=larger)
            for i, x in enumerate(others, start=2):
                xp.greater(x, y_, out=larger)
                xp.copyto(winner, i, where=larger)
                xp.copyto(y_, x, where=larger)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        operation, dy = self.param.eltwise_param.operation, top[0].diff
        for i, blob in enumerate(bottom[:self._inputs]):
            if not propagate_down[i]:
                continue
            if operation == _SUM:
                self._weigh(i, dy, bottom, blob.diff)
            elif operation == _MAX:
                for dx, dy_, winner in self.backend.pieces(blob.diff, dy, self._winner[:dy.size]):
                    won = self.backend.scratch.take(dy_.shape, bool)
                    self.xp.multiply(dy_, self.xp.equal(winner, i, out=won), out=dx)
            else:
                self._product_backward(i, top[0], bottom)
        if self.param.eltwise_param.coeff_blob and propagate_down[-1]:
            self._factors_backward(dy, bottom)

    def _factors_backward(self, dy: Any, bottom: list[Blob]) -> None:
        bottom[-1].diff.fill(0)
        for i, row in enumerate(self._by_input(bottom[-1].diff)):
            self.xp.multiply(dy, bottom[i].data, out=self._work.data)
            self.backend.elementwise.sum_to_channels(self._work.data.reshape(self._view), row,
                                                     self.backend.scratch)
            row *= self._coeff[i]

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
