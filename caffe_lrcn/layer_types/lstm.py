"""LSTM: long short-term memory over T steps, cut into sequences by ``cont``."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from .base import Arity
from .common.recurrent import Recurrent


class LSTM(Recurrent):
    """Compute ``c_t = cont_t f c_{t-1} + i g`` and ``h_t = o tanh(c_t)`` for all steps.

    ``i, f, o = sigmoid`` and ``g = tanh`` of ``W_xc x_t + b_c + W_xc_static x_static +
    W_hc (cont_t h_{t-1})``. Bottoms: x (T, N, ...), cont (T, N), [x_static (N, ...)], [h_0, c_0
    (1, N, D)]; tops: h (T, N, D), [h_T, c_T]. Parameters: W_xc (4D, I), b_c (4D,),
    [W_xc_static (4D, S)], W_hc (4D, D).
    Source: section 2 of the LRCN paper; Caffe's lstm_layer and lstm_unit_layer.
    """

    bottoms, tops = Arity(2, 5), Arity(1, 3)
    state_names = ("h", "c")
    gates = 4
    param_count = 3

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Check the definition and make the parameters."""
        super().setup(bottom, top)
        self.c, self.tanh_c = Blob(self.backend), Blob(self.backend)
        self.dc = Blob(self.backend)

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Set the tops' shapes, with any T; a new N clears the carried state, with a warning."""
        super().reshape(bottom, top)
        self.c.reshape_like(top[0])
        self.tanh_c.reshape_like(top[0])
        self.dc.reshape(*top[0].shape[1:])

    def hidden(self, top: list[Blob]) -> Any:
        """Return the top itself: nothing reads it after the forward pass."""
        return top[0].data

    def last_state(self, name: str, hidden: Any) -> Any:
        """Return the state ``name`` (N, D) after the last step."""
        return self.c.data[-1] if name == "c" else hidden[-1]

    def step_forward(self, t: int, cont: Any, pre: Any, h: Any) -> None:
        """Compute step ``t``; the activated gates take the place of ``pre``."""
        self.backend.recurrent.lstm_forward(pre, cont, self._c_before(t), self.c.data[t],
                                            self.tanh_c.data[t], h)

    def begin_backward(self, top: list[Blob]) -> Any:
        """Clear the cell's gradient: later forward passes hand none back."""
        self.dc.data.fill(0)
        return top[0].diff

    def step_backward(self, t: int, cont: Any, dh: Any, d_pre: Any) -> None:
        """Overwrite ``d_pre`` with the gradient of the gates' pre-activations."""
        self.backend.recurrent.lstm_backward(self.pre.data[t], cont, self._c_before(t),
                                             self.tanh_c.data[t], dh, self.dc.data, d_pre)

    def _c_before(self, t: int) -> Any:
        return self.c.data[t - 1] if t else self.initial["c"].data
