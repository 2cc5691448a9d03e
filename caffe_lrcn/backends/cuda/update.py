"""The solver's arithmetic: the norm of all gradients, and the six update rules, a kernel each."""
from __future__ import annotations

from typing import Any

import numpy as np

from ..parameters import Parameters, UpdateSpec
from ..scalars import Scalars
from ..scratch import Scratch
from .checks import same_size
from .compile import THREADS, array_module, launch

_SOURCE = "update.cu"
#: Blocks of partial_sums. The number is fixed, so that the order of summation is.
_BLOCKS = 256
#: Elements that a block works on: enough to hide what it looks up, few enough to fill a GPU.
_CHUNK = 1 << 12


def sum_of_elements(x: Any, total: Any, scratch: Scratch) -> None:
    """Write the sum of ``x`` into ``total`` (one element, float64); summed in float64."""
    _sum(x, False, total, scratch)


def sum_of_squares(x: Any, total: Any, scratch: Scratch) -> None:
    """Write the sum of ``x**2`` into ``total`` (one element, float64); summed in float64."""
    _sum(x, True, total, scratch)


def _sum(x: Any, squared: bool, total: Any, scratch: Scratch) -> None:
    blocks = min(_BLOCKS, -(-x.size // THREADS))
    partial = scratch.take(blocks, np.float64)
    launch(_SOURCE, "partial_sums", blocks, (x, x.size, squared, partial), x.dtype, block=THREADS)
    total.fill(0)
    launch(_SOURCE, "add_squares", 1, (partial, blocks, total), x.dtype, block=THREADS)


def add_squares(parameters: Parameters, squares: Any, scratch: Scratch) -> None:
    """Add the sum of the squared gradients to ``squares`` (1, float64); summed in float64."""
    chunks, _ = _tables(parameters)
    partial, dtype = scratch.take(len(chunks), np.float64), parameters.diff.dtype
    launch(_SOURCE, "chunk_squares", len(chunks), (chunks, parameters.diff, partial), dtype,
           block=THREADS)
    launch(_SOURCE, "add_squares", 1, (partial, len(chunks), squares), dtype, block=THREADS)


def clip_factor(squares: Any, limit: float, clip: Any) -> None:
    """Write ``limit / √squares`` into ``clip`` (1, float64) where the norm exceeds it, else 1."""
    launch(_SOURCE, "clip_factor", 1, (squares, limit, clip), squares.dtype)


def sgd(parameters: Parameters, spec: UpdateSpec, scalars: Scalars, scratch: Scratch) -> None:
    """``v = μv + ηg; u = v``."""
    _launch("sgd", parameters, spec, scalars, spec.momentum)


def nesterov(parameters: Parameters, spec: UpdateSpec, scalars: Scalars, scratch: Scratch) -> None:
    """``v' = μv + ηg; u = (1 + μ)v' - μv``."""
    _launch("nesterov", parameters, spec, scalars, spec.momentum)


def adagrad(parameters: Parameters, spec: UpdateSpec, scalars: Scalars, scratch: Scratch) -> None:
    """``h += g²; u = ηg / (√h + δ)``."""
    _launch("adagrad", parameters, spec, scalars, spec.delta)


def rmsprop(parameters: Parameters, spec: UpdateSpec, scalars: Scalars, scratch: Scratch) -> None:
    """``h = ρh + (1 - ρ)g²; u = ηg / (√h + δ)``."""
    _launch("rmsprop", parameters, spec, scalars, spec.rms_decay, spec.delta)


def adadelta(parameters: Parameters, spec: UpdateSpec, scalars: Scalars, scratch: Scratch) -> None:
    """``h = μh + (1 - μ)g²; d = g√((s + δ) / (h + δ)); s = μs + (1 - μ)d²; u = ηd``."""
    _launch("adadelta", parameters, spec, scalars, spec.momentum, spec.delta)


def adam(parameters: Parameters, spec: UpdateSpec, scalars: Scalars, scratch: Scratch) -> None:
    """``m = μm + (1 - μ)g; v = μ₂v + (1 - μ₂)g²; u = η√(1 - μ₂ᵗ)/(1 - μᵗ) · m / (√v + δ)``.

    ``t`` is the number of the iteration, counted from 1.
    """
    _launch("adam", parameters, spec, scalars, spec.momentum, spec.momentum2, spec.delta,
            inputs=(scalars.count,))


def _launch(kernel: str, parameters: Parameters, spec: UpdateSpec, scalars: Scalars,
            *numbers: float, inputs: tuple[Any, ...] = ()) -> None:
    arrays = {"weight": parameters.weight, "diff": parameters.diff}
    arrays |= {f"history {index}": array for index, array in enumerate(parameters.history)}
    same_size(**arrays)
    chunks, multipliers = _tables(parameters)
    launch(_SOURCE, kernel, len(chunks),
           (chunks, multipliers, scalars.rate, scalars.clip, *inputs, spec.scale, spec.l2, spec.l1,
            *numbers, *arrays.values()), parameters.diff.dtype, block=THREADS)


def _tables(parameters: Parameters) -> tuple[Any, Any]:
    """Return chunks (rows of start, stop, segment) and multipliers (rows of rate, decay)."""
    if parameters.tables is None:
        chunks = [(start, min(start + _CHUNK, segment.stop), index)
                  for index, segment in enumerate(parameters.segments)
                  for start in range(segment.start, segment.stop, _CHUNK)]
        multipliers = [(segment.rate, segment.decay) for segment in parameters.segments]
        upload = array_module(parameters.diff).asarray
        parameters.tables = (upload(np.array(chunks, np.int64).reshape(-1, 3)),
                             upload(np.array(multipliers, np.float64).reshape(-1, 2)))
    return parameters.tables
