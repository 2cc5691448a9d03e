"""The solver's arithmetic on one parameter: norms, decay, momentum, and the update itself."""
from __future__ import annotations

import numpy as np

from .blocks import blocks, scratch


def sum_of_squares(x: np.ndarray) -> np.ndarray:
    """Return the sum of ``x**2`` as a 0-d float64 array; summed in float64."""
    total, work = 0.0, scratch(x, np.float64)
    for (x_,) in blocks(x):
        work_ = work[:x_.size]
        work_[...] = x_
        total += np.dot(work_, work_)
    return np.asarray(total, np.float64)


def scale(x: np.ndarray, factor: float) -> None:
    """Multiply ``x`` by ``factor`` in place."""
    np.multiply(x, factor, out=x)


def l2(diff: np.ndarray, weight: np.ndarray, decay: float) -> None:
    """Add the gradient of ``decay / 2 * sum(weight**2)``: ``diff += decay * weight``."""
    work = scratch(diff)
    for diff_, weight_ in blocks(diff, weight):
        diff_ += np.multiply(weight_, decay, out=work[:diff_.size])


def l1(diff: np.ndarray, weight: np.ndarray, decay: float) -> None:
    """Add the gradient of ``decay * sum(|weight|)``: ``diff += decay * sign(weight)``."""
    work = scratch(diff)
    for diff_, weight_ in blocks(diff, weight):
        sign = np.sign(weight_, out=work[:diff_.size])
        sign *= decay
        diff_ += sign


def sgd(diff: np.ndarray, history: np.ndarray, rate: float, momentum: float) -> None:
    """Write ``history = momentum * history + rate * diff``, and the same into ``diff``.

    Source: Caffe's sgd_solver.
    """
    for diff_, history_ in blocks(diff, history):
        history_ *= momentum
        diff_ *= rate
        history_ += diff_
        diff_[...] = history_


def apply(weight: np.ndarray, diff: np.ndarray) -> None:
    """Subtract ``diff`` from ``weight`` in place."""
    np.subtract(weight, diff, out=weight)
