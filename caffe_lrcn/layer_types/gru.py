"""GRU: gated recurrent units over T steps, cut into sequences by ``cont``."""
from __future__ import annotations

from typing import Any

from ..blob import Blob
from .base import Arity
from .common.recurrent import Recurrent


class GRU(Recurrent):
    """Compute ``h_t = (1 - z) n + z h'`` with ``h' = cont_t h_{t-1}`` for all steps.

    ``r, z = sigmoid(a + p)`` and ``n = tanh(a + r p)`` of their thirds of the input's share
    ``a = W_xc x_t + b_c + W_xc_static x_static`` and the state's ``p = W_hc h' + b_hc``: the reset
    gate r acts after the product, so n needs the second bias. Bottoms: x (T, N, ...), cont (T, N),
    [x_static (N, ...)], [h_0 (1, N, D)]; tops: h (T, N, D), [h_T]. Parameters: W_xc (3D, I),
    b_c (3D,), [W_xc_static (3D, S)], W_hc (3D, D), b_hc (3D,), each in the order r, z, n; they are
    PyTorch's weight_ih, bias_ih, weight_hh and bias_hh. Not a layer of Caffe's; its fields are
    those of ``recurrent_param``.
    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder", as torch.nn.GRU
    computes it.
    """

    bottoms, tops = Arity(2, 4), Arity(1, 2)
    state_names = ("h",)
    gates = 3
    param_count = 4

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Check the definition and make the parameters."""
        super().setup(bottom, top)
        self.add_param((3 * self.units,), self.param.recurrent_param.bias_filler)
        self.product = Blob(self.backend)  # p of all steps

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Set the tops' shapes, with any T; a new N clears the carried state, with a warning."""
        super().reshape(bottom, top)
        self.product.reshape_like(self.pre)

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Run the cell over all steps, starting from the carried or the given state."""
        self.product.data[...] = self.blobs[self.w_hidden + 1].data
        super().forward(bottom, top)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        """Go back through the steps of the last forward pass (truncated there)."""
        super().backward(top, propagate_down, bottom)
        self.accumulate_bias(self.w_hidden + 1, self.product.diff.reshape(-1, 3 * self.units))

    def hidden(self, top: list[Blob]) -> Any:
        """Return the top itself: nothing reads it after the forward pass."""
        return top[0].data

    def step_forward(self, t: int, cont: Any, pre: Any, h: Any) -> None:
        """Compute step ``t``; r, z and n take the place of ``pre``."""
        xp, product, split = self.xp, self.product.data[t], 2 * self.units
        gates, (r, z, n) = pre[:, :split], self._thirds(pre)
        gates += product[:, :split]
        gates *= 0.5  # sigmoid(x) = tanh(x / 2) / 2 + 1 / 2, which does not overflow
        xp.tanh(gates, out=gates)
        gates *= 0.5
        gates += 0.5
        with self.backend.scratch.frame():
            n += xp.multiply(r, product[:, split:], out=self.backend.scratch.take(n.shape))
        xp.tanh(n, out=n)
        xp.subtract(self.h_cont.data[t], n, out=h)
        h *= z
        h += n

    def begin_backward(self, top: list[Blob]) -> Any:
        """Return the top's gradient: the top is the hidden state."""
        return top[0].diff

    def step_backward(self, t: int, cont: Any, dh: Any, d_pre: Any) -> None:
        """Overwrite ``d_pre``, and with it the gradient of the state's share."""
        xp, product, d_product = self.xp, self._thirds(self.product.data[t]), self.product.diff[t]
        (r, z, n), (d_r, d_z, d_n) = self._thirds(self.pre.data[t]), self._thirds(d_pre)
        with self.backend.scratch.frame():
            work = self.backend.scratch.take(dh.shape)
            xp.multiply(dh, xp.subtract(1, z, out=work), out=d_n)  # d_n = dh (1 - z) (1 - n^2)
            xp.multiply(n, n, out=work)
            d_n *= xp.subtract(1, work, out=work)
            xp.subtract(self.h_cont.data[t], n, out=d_z)  # d_z = dh (h' - n) z (1 - z)
            d_z *= dh
            d_z *= z
            d_z *= xp.subtract(1, z, out=work)
            xp.multiply(d_n, product[2], out=work)  # d_r = d_n p_n r (1 - r)
            xp.multiply(work, r, out=d_r)
            d_r *= xp.subtract(1, r, out=work)
        d_product[...] = d_pre
        d_share = self._thirds(d_product)[2]
        d_share *= r

    def step_carry(self, t: int, dh: Any, carry: Any) -> None:
        """Add the gradient that h' gets past the gates."""
        with self.backend.scratch.frame():
            carry += self.xp.multiply(dh, self._thirds(self.pre.data[t])[1],
                                      out=self.backend.scratch.take(dh.shape))

    def _thirds(self, array: Any) -> tuple[Any, Any, Any]:
        d = self.units
        return array[:, :d], array[:, d:2 * d], array[:, 2 * d:]
