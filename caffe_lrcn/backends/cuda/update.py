"""The solver's arithmetic on one parameter: norms, decay, momentum, and the update itself."""
from __future__ import annotations

from typing import Any

from .checks import same_size
from .compile import THREADS, array_module, launch

_SOURCE = "update.cu"
#: Blocks of sum_of_squares. The number is fixed, so that the order of summation is.
_BLOCKS = 256


def sum_of_squares(x: Any) -> Any:
    """Return the sum of ``x**2`` as a 0-d float64 array; summed in float64."""
    blocks = min(_BLOCKS, -(-x.size // THREADS))
    partial = array_module(x).empty(blocks, "float64")
    launch(_SOURCE, "sum_of_squares", blocks, (x, x.size, partial), x.dtype, block=THREADS)
    return partial.sum().reshape(())  # NumPy and CuPy sum in a fixed order


def scale(x: Any, factor: float) -> None:
    """Multiply ``x`` by ``factor`` in place."""
    launch(_SOURCE, "scale_values", x.size, (x, factor), x.dtype)


def l2(diff: Any, weight: Any, decay: float) -> None:
    """Add the gradient of ``decay / 2 * sum(weight**2)``: ``diff += decay * weight``."""
    launch(_SOURCE, "l2_decay", same_size(diff=diff, weight=weight), (diff, weight, decay),
           diff.dtype)


def l1(diff: Any, weight: Any, decay: float) -> None:
    """Add the gradient of ``decay * sum(|weight|)``: ``diff += decay * sign(weight)``."""
    launch(_SOURCE, "l1_decay", same_size(diff=diff, weight=weight), (diff, weight, decay),
           diff.dtype)


def sgd(diff: Any, history: Any, rate: float, momentum: float) -> None:
    """Write ``history = momentum * history + rate * diff``, and the same into ``diff``.

    Source: Caffe's sgd_solver.
    """
    launch(_SOURCE, "sgd", same_size(diff=diff, history=history), (diff, history, rate, momentum),
           diff.dtype)


def apply(weight: Any, diff: Any) -> None:
    """Subtract ``diff`` from ``weight`` in place."""
    launch(_SOURCE, "apply_update", same_size(weight=weight, diff=diff), (weight, diff),
           weight.dtype)
