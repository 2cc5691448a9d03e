"""The solver's arithmetic: the norm of all gradients, and the six update rules.

A rule first clips, normalises and regularises the gradients, then turns each into the step that
is subtracted from its weight; the steps stay in ``diff``. Notation: g the processed gradient, η
the rate times the segment's multiplier, μ the momentum, δ delta, u the step. All of it is done
piece by piece, so that a piece is read from memory once.
Source: Caffe's SGD, Nesterov, AdaGrad, RMSProp, AdaDelta and Adam solvers.
"""
from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..parameters import Parameters, UpdateSpec
from ..scalars import Scalars
from ..scratch import Scratch
from .blocks import BLOCK, block_of, blocks

#: Elements that a rule works on at once: of Adam's six arrays 768 KiB of float32.
_PIECE = 1 << 15


def sum_of_elements(x: np.ndarray, total: np.ndarray, scratch: Scratch) -> None:
    """Write the sum of ``x`` into ``total`` (one element, float64); summed in float64."""
    np.sum(x, dtype=np.float64, out=total.reshape(()))


def sum_of_squares(x: np.ndarray, total: np.ndarray, scratch: Scratch) -> None:
    """Write the sum of ``x**2`` into ``total`` (one element, float64); summed in float64."""
    total[...] = _squares(x, block_of(x, scratch, np.float64))


def add_squares(parameters: Parameters, squares: np.ndarray, scratch: Scratch) -> None:
    """Add the sum of the squared gradients to ``squares`` (1, float64); summed in float64."""
    work = scratch.take(BLOCK, np.float64)
    for segment in parameters.segments:
        squares += _squares(parameters.diff[segment.start:segment.stop], work)


def clip_factor(squares: np.ndarray, limit: float, clip: np.ndarray) -> None:
    """Write ``limit / √squares`` into ``clip`` (1, float64) where the norm exceeds it, else 1."""
    norm = math.sqrt(squares[0])
    clip[0] = 1.0 if norm <= limit else limit / norm


def sgd(parameters: Parameters, spec: UpdateSpec, scalars: Scalars, scratch: Scratch) -> None:
    """``v = μv + ηg; u = v``."""
    for rate, g, (v,), _ in _gradients(parameters, spec, scalars, scratch):
        v *= spec.momentum
        g *= rate
        v += g
        g[...] = v


def nesterov(parameters: Parameters, spec: UpdateSpec, scalars: Scalars, scratch: Scratch) -> None:
    """``v' = μv + ηg; u = (1 + μ)v' - μv``."""
    for rate, g, (v,), (before, _) in _gradients(parameters, spec, scalars, scratch):
        v *= spec.momentum
        before[...] = v
        g *= rate
        v += g
        np.multiply(v, 1 + spec.momentum, out=g)
        g -= before


def adagrad(parameters: Parameters, spec: UpdateSpec, scalars: Scalars, scratch: Scratch) -> None:
    """``h += g²; u = ηg / (√h + δ)``."""
    for rate, g, (h,), (work, _) in _gradients(parameters, spec, scalars, scratch):
        h += np.multiply(g, g, out=work)
        g *= _rates(rate, h, spec.delta, work)


def rmsprop(parameters: Parameters, spec: UpdateSpec, scalars: Scalars, scratch: Scratch) -> None:
    """``h = ρh + (1 - ρ)g²; u = ηg / (√h + δ)``."""
    for rate, g, (h,), (work, _) in _gradients(parameters, spec, scalars, scratch):
        _mean_of_squares(h, g, spec.rms_decay, work)
        g *= _rates(rate, h, spec.delta, work)


def adadelta(parameters: Parameters, spec: UpdateSpec, scalars: Scalars, scratch: Scratch) -> None:
    """``h = μh + (1 - μ)g²; d = g√((s + δ) / (h + δ)); s = μs + (1 - μ)d²; u = ηd``."""
    # CAFFE-QUIRK: `momentum` is the decay of both running means here.
    for rate, g, (h, s), (work, other) in _gradients(parameters, spec, scalars, scratch):
        _mean_of_squares(h, g, spec.momentum, work)
        np.add(s, spec.delta, out=work)
        work /= np.add(h, spec.delta, out=other)
        g *= np.sqrt(work, out=work)
        _mean_of_squares(s, g, spec.momentum, work)
        g *= rate


def adam(parameters: Parameters, spec: UpdateSpec, scalars: Scalars, scratch: Scratch) -> None:
    """``m = μm + (1 - μ)g; v = μ₂v + (1 - μ₂)g²; u = η√(1 - μ₂ᵗ)/(1 - μᵗ) · m / (√v + δ)``.

    ``t`` is the number of the iteration, counted from 1.
    """
    beta1, beta2, t = spec.momentum, spec.momentum2, int(scalars.count[0]) + 1
    correction = math.sqrt(1 - beta2 ** t) / (1 - beta1 ** t)
    for rate, g, (m, v), (work, _) in _gradients(parameters, spec, scalars, scratch):
        m *= beta1
        m += np.multiply(g, 1 - beta1, out=work)
        _mean_of_squares(v, g, beta2, work)
        np.sqrt(v, out=work)
        work += spec.delta
        np.multiply(m, rate * correction, out=g)
        g /= work


_Piece = tuple[float, np.ndarray, list[np.ndarray], np.ndarray]


def _gradients(parameters: Parameters, spec: UpdateSpec, scalars: Scalars,
               scratch: Scratch) -> Iterator[_Piece]:
    """Yield η, processed gradients, histories and two temporaries for piece after piece.

    What the caller has made of a piece's gradients is then subtracted from the weights.
    """
    rate, clip = float(scalars.rate[0]), float(scalars.clip[0])
    work = scratch.take((2, _PIECE))
    for segment in parameters.segments:
        l2, l1 = spec.l2 * segment.decay, spec.l1 * segment.decay
        for start in range(segment.start, segment.stop, _PIECE):
            piece = slice(start, min(start + _PIECE, segment.stop))
            w, g = parameters.weight[piece], parameters.diff[piece]
            temporaries = work[:, :g.size]
            for factor in (clip, spec.scale):
                if factor != 1:
                    g *= factor
            if l2:
                g += np.multiply(w, l2, out=temporaries[0])
            if l1:
                sign = np.sign(w, out=temporaries[0])
                sign *= l1
                g += sign
            yield rate * segment.rate, g, [h[piece] for h in parameters.history], temporaries
            w -= g


def _squares(x: np.ndarray, work: np.ndarray) -> float:
    total = 0.0
    for (x_,) in blocks(x):
        work_ = work[:x_.size]
        work_[...] = x_
        total += np.dot(work_, work_)
    return total


def _mean_of_squares(mean: np.ndarray, x: np.ndarray, decay: float, work: np.ndarray) -> None:
    """Move a running mean on: ``mean = decay · mean + (1 - decay) · x²``."""
    mean *= decay
    np.multiply(x, x, out=work)
    work *= 1 - decay
    mean += work


def _rates(rate: float, h: np.ndarray, delta: float, work: np.ndarray) -> np.ndarray:
    """Return ``rate / (√h + delta)``, in ``work``."""
    np.sqrt(h, out=work)
    work += delta
    return np.divide(rate, work, out=work)
