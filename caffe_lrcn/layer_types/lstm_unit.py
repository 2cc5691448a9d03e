"""LSTMUnit: the cell of an LSTM, one step."""
from __future__ import annotations

from ..blob import Blob
from ..errors import NetError, ShapeError
from .base import Layer, exactly


class LSTMUnit(Layer):
    """Compute ``c = cont f c_prev + i g`` and ``h = o tanh(c)``.

    Bottoms: c_prev (1, N, D), the gates' pre-activations (1, N, 4D) in the order i, f, o, g, and
    cont (1, N). Tops: c and h (1, N, D). ``i, f, o = sigmoid`` and ``g = tanh`` of their
    pre-activations. Where cont is 0 the first term is exactly 0, whatever c_prev is.

    Raises:
        ShapeError: bottoms that do not fit together, or several steps.
        NetError: the gradient of cont is asked for.

    Source: Caffe's lstm_unit_layer.
    """

    bottoms, tops = exactly(3), exactly(2)
    allows_in_place = False

    def allow_force_backward(self, bottom: int) -> bool:
        return bottom != 2

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        self._c_prev, self._gates = Blob(self.backend), Blob(self.backend)
        self._tanh_c = Blob(self.backend)  # its diff takes the cell's gradient

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        shape = bottom[0].shape
        if len(shape) != 3 or shape[0] != 1:
            raise self.error(ShapeError, "the cell state must be that of one step", got=shape,
                             wanted="(1, N, D)", at=("bottom", 0))
        for index, (name, wanted) in enumerate(
                (("gates", (1, shape[1], 4 * shape[2])), ("cont", shape[:2])), start=1):
            if bottom[index].shape != wanted:
                raise self.error(ShapeError, f"{name} and cell state do not fit together",
                                 got=bottom[index].shape, wanted=wanted, at=("bottom", index))
        self._c_prev.reshape(*shape[1:])
        self._tanh_c.reshape(*shape[1:])
        self._gates.reshape(shape[1], 4 * shape[2])
        for blob in top:
            blob.reshape(*shape)

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        cont = bottom[2].data[0]
        self._gates.data[...] = bottom[1].data[0]
        goes_on = self.backend.scratch.take((len(cont), 1), bool)
        self.xp.not_equal(cont[:, None], 0, out=goes_on)
        self._c_prev.data.fill(0)
        self.xp.copyto(self._c_prev.data, bottom[0].data[0], where=goes_on)
        self.backend.recurrent.lstm_forward(self._gates.data, cont, self._c_prev.data,
                                            top[0].data[0], self._tanh_c.data, top[1].data[0])

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if propagate_down[2]:
            raise self.error(NetError, "cont has no gradient", at=("bottom", 2),
                             remedy="Let it come from data, or set propagate_down: false for it.")
        # CAFFE-QUIRK, mended: Caffe's CPU code takes a fractional cont for 1 in one of its terms;
        # this is the formula of its CUDA code.
        dc, d_gates = self._tanh_c.diff, self._gates.diff
        dc[...] = top[0].diff[0]
        self.backend.recurrent.lstm_backward(
            self._gates.data, bottom[2].data[0], self._c_prev.data, self._tanh_c.data,
            top[1].diff[0], dc, d_gates)
        for blob, wanted, diff in zip(bottom, propagate_down, (dc, d_gates), strict=False):
            if wanted:
                blob.diff[0] = diff
