"""One time step of the LSTM and RNN cells; ``cpu/recurrent.py`` describes shapes and arguments."""
from __future__ import annotations

from typing import Any

from . import elementwise
from .checks import has_size, same_size
from .compile import launch

_SOURCE = "recurrent.cu"


def lstm_forward(gates: Any, cont: Any, c_prev: Any, c: Any, tanh_c: Any, h: Any) -> None:
    """Advance an LSTM by one step: ``c = cont f c_prev + i g`` and ``h = o tanh(c)``."""
    count = same_size(c_prev=c_prev, c=c, tanh_c=tanh_c, h=h)
    has_size("gates", gates, 4 * count)
    has_size("cont", cont, c.shape[0])
    launch(_SOURCE, "lstm_forward", count, (gates, cont, c_prev, c.shape[1], c, tanh_c, h),
           c.dtype)


def lstm_backward(gates: Any, cont: Any, c_prev: Any, tanh_c: Any, dh: Any, dc: Any,
                  d_gates: Any) -> None:
    """Take the gradient of one LSTM step; ``dc`` becomes that of ``c_prev``."""
    count = same_size(c_prev=c_prev, tanh_c=tanh_c, dh=dh, dc=dc)
    has_size("gates", gates, 4 * count)
    has_size("d_gates", d_gates, 4 * count)
    has_size("cont", cont, dc.shape[0])
    launch(_SOURCE, "lstm_backward", count,
           (gates, cont, c_prev, tanh_c, dh, dc.shape[1], dc, d_gates), dc.dtype)


def rnn_forward(pre: Any, h: Any) -> None:
    """Activate an RNN step: ``h = tanh(pre)``; ``h`` may be ``pre``."""
    elementwise.tanh_forward(pre, h)


def rnn_backward(h: Any, dh: Any, d_pre: Any) -> None:
    """Take the gradient of ``rnn_forward``: ``d_pre = (1 - h^2) dh``."""
    launch("elementwise.cu", "tanh_backward", same_size(h=h, dh=dh, d_pre=d_pre), (h, dh, d_pre),
           d_pre.dtype)


def scale_rows(x: Any, cont: Any, out: Any) -> None:
    """Multiply row ``n`` of ``x`` (N, D) by ``cont[n]``; ``out`` may be ``x``."""
    has_size("cont", cont, x.shape[0])
    launch(_SOURCE, "scale_rows", same_size(x=x, out=out), (x, cont, x.shape[1], out), out.dtype)
