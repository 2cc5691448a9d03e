"""One time step of the LSTM and RNN cells, forward and backward, in place of the unrolled nets.

Shapes: ``N`` streams, ``D`` hidden units. ``gates`` holds the four gates side by side, (N, 4D) in
the order input, forget, output, candidate (i, f, o, g). ``cont`` is (N,): 0 where a new sequence
starts, 1 where the old one goes on, and linear in between. Every array but ``gates`` (forward)
and ``dc`` (backward) is either read or overwritten; outputs that are not needed yet serve as
scratch, so that no step allocates. Source: Caffe's lstm_unit_layer (the GPU formula for
fractional ``cont``; the CPU one is wrong there).
"""
from __future__ import annotations

import numpy as np


def lstm_forward(gates: np.ndarray, cont: np.ndarray, c_prev: np.ndarray, c: np.ndarray,
                 tanh_c: np.ndarray, h: np.ndarray) -> None:
    """Advance an LSTM by one step: ``c = cont f c_prev + i g`` and ``h = o tanh(c)``.

    Args:
        gates: (N, 4D) pre-activations; replaced by the activated gates.
        cont: (N,) continuation markers.
        c_prev: (N, D) cell state before the step; must not be ``c``.
        c, tanh_c, h: (N, D) outputs.
    """
    units = c.shape[1]
    _sigmoid_in_place(gates[:, :3 * units])
    i, f, o, g = _split(gates)
    np.tanh(g, out=g)
    np.multiply(f, c_prev, out=c)
    np.multiply(c, cont[:, None], out=c)
    np.multiply(i, g, out=h)
    np.add(c, h, out=c)
    np.tanh(c, out=tanh_c)
    np.multiply(o, tanh_c, out=h)


def lstm_backward(gates: np.ndarray, cont: np.ndarray, c_prev: np.ndarray, tanh_c: np.ndarray,
                  dh: np.ndarray, dc: np.ndarray, d_gates: np.ndarray) -> None:
    """Take the gradient of one LSTM step.

    Args:
        gates: (N, 4D) activated gates that ``lstm_forward`` left.
        cont, c_prev, tanh_c: as in ``lstm_forward``.
        dh: (N, D) gradient of the step's output.
        dc: (N, D) gradient of the cell state that comes from later steps; replaced by the
            gradient of ``c_prev``.
        d_gates: (N, 4D) gradient of the pre-activations.
    """
    i, f, o, g = _split(gates)
    di, df, do, dg = _split(d_gates)
    np.multiply(tanh_c, tanh_c, out=dg)  # dg is scratch: o (1 - tanh_c^2) dh joins dc
    np.subtract(1, dg, out=dg)
    np.multiply(dg, o, out=dg)
    np.multiply(dg, dh, out=dg)
    np.add(dc, dg, out=dc)

    np.subtract(1, o, out=do)
    np.multiply(do, o, out=do)
    np.multiply(do, tanh_c, out=do)
    np.multiply(do, dh, out=do)

    np.subtract(1, i, out=di)
    np.multiply(di, i, out=di)
    np.multiply(di, g, out=di)
    np.multiply(di, dc, out=di)

    np.multiply(g, g, out=dg)
    np.subtract(1, dg, out=dg)
    np.multiply(dg, i, out=dg)
    np.multiply(dg, dc, out=dg)

    np.multiply(dc, f, out=dc)
    np.multiply(dc, cont[:, None], out=dc)  # now the gradient of c_prev
    np.subtract(1, f, out=df)
    np.multiply(df, c_prev, out=df)
    np.multiply(df, dc, out=df)


def rnn_forward(pre: np.ndarray, h: np.ndarray) -> None:
    """Activate an RNN step: ``h = tanh(pre)``; ``h`` may be ``pre``."""
    np.tanh(pre, out=h)


def rnn_backward(h: np.ndarray, dh: np.ndarray, d_pre: np.ndarray) -> None:
    """Take the gradient of ``rnn_forward``: ``d_pre = (1 - h^2) dh``; ``d_pre`` is not ``dh``."""
    np.multiply(h, h, out=d_pre)
    np.subtract(1, d_pre, out=d_pre)
    np.multiply(d_pre, dh, out=d_pre)


def scale_rows(x: np.ndarray, cont: np.ndarray, out: np.ndarray) -> None:
    """Multiply row ``n`` of ``x`` (N, D) by ``cont[n]``; ``out`` may be ``x``."""
    np.multiply(x, cont[:, None], out=out)


def _split(gates: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    units = gates.shape[1] // 4
    return (gates[:, :units], gates[:, units:2 * units], gates[:, 2 * units:3 * units],
            gates[:, 3 * units:])


def _sigmoid_in_place(x: np.ndarray) -> None:
    # Through exp: in float32 it is 1.8 times as fast as through tanh and 2.7 times as scipy's
    # expit. An overflowing exp(-x) is infinite, and its reciprocal the right answer, 0.
    with np.errstate(over="ignore"):
        np.negative(x, out=x)
        np.exp(x, out=x)
        np.add(x, 1, out=x)
        np.reciprocal(x, out=x)
