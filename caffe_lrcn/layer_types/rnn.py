"""RNN: a plain recurrent net over T steps, cut into sequences by ``cont``."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from .base import Arity
from .common.recurrent import Recurrent


class RNN(Recurrent):
    """Compute ``h_t`` and the output ``o_t = tanh(W_ho h_t + b_o)`` for all steps.

    ``h_t = tanh(W_xh x_t + b_h + W_xh_static x_static + W_hh (cont_t h_{t-1}))``. Bottoms:
    x (T, N, ...), cont (T, N), [x_static (N, ...)], [h_0 (1, N, D)]; tops: o (T, N, D), [h_T].
    Parameters: W_xh (D, I), b_h (D,), [W_xh_static (D, S)], W_hh (D, D), W_ho (D, D), b_o (D,).
    Source: section 2 of the LRCN paper; Caffe's rnn_layer.
    """

    bottoms, tops = Arity(2, 4), Arity(1, 2)
    state_names = ("h",)
    gates = 1
    param_count = 5

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Check the definition and make the parameters."""
        super().setup(bottom, top)
        param = self.param.recurrent_param
        self.add_param((self.units, self.units), param.weight_filler)
        self.add_param((self.units,), param.bias_filler)
        self.output = Blob(self.backend)  # a copy: later layers may change the top in place

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Set the tops' shapes, with any T; a new N clears the carried state, with a warning."""
        super().reshape(bottom, top)
        self.output.reshape_like(top[0])

    def hidden(self, top: list[Blob]) -> Any:
        """Return the activations, which the steps compute in place of the pre-activations."""
        return self.pre.data

    def step_forward(self, t: int, cont: Any, pre: Any, h: Any) -> None:
        """Compute step ``t``."""
        self.backend.recurrent.rnn_forward(pre, h)

    def finish_forward(self, top: list[Blob]) -> None:
        """Compute the outputs of all steps with one matrix product."""
        weight, bias = (blob.data for blob in self.blobs[-2:])
        output = self.output.data.reshape(-1, self.units)
        output[...] = bias
        self.backend.blas.gemm(self._rows(self.pre.data), weight, output, self.backend.scratch,
                               trans_b=True, accumulate=True)
        self.backend.recurrent.rnn_forward(output, output)
        top[0].data[...] = self.output.data

    def begin_backward(self, top: list[Blob]) -> Any:
        """Take the outputs' gradients back to the hidden states, for all steps at once."""
        rows, index = self._rows(self.output.diff), len(self.blobs) - 2
        self.backend.recurrent.rnn_backward(self._rows(self.output.data), self._rows(top[0].diff),
                                            rows)
        self.accumulate(index, rows, self._rows(self.pre.data))
        self.accumulate_bias(index + 1, rows)
        # h_cont's gradient is nowhere else needed: its storage takes that of the hidden states.
        d_hidden = self.h_cont.diff
        self.backend.blas.gemm(rows, self.blobs[index].data, self._rows(d_hidden),
                               self.backend.scratch)
        return d_hidden

    def step_backward(self, t: int, cont: Any, dh: Any, d_pre: Any) -> None:
        """Overwrite ``d_pre`` with the gradient of the pre-activation."""
        self.backend.recurrent.rnn_backward(self.pre.data[t], dh, d_pre)

    def _rows(self, array: Any) -> Any:
        return array.reshape(-1, self.units)
