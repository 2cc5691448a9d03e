"""Statistics of arrays, and tables to show them in."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_BLOCK = 1 << 18  # values looked at in one go, so that temporaries stay small


@dataclass(frozen=True)
class Statistics:
    """What `describe` finds; extremes, mean and deviation leave NaN out, and are NaN if all are."""

    count: int
    min: float
    max: float
    mean: float
    std: float
    zeros: int
    nans: int

    @property
    def zero_share(self) -> float:
        """Share of the values that are 0, from 0 to 1."""
        return self.zeros / self.count if self.count else 0.0


def describe(array: np.ndarray) -> Statistics:
    """Return count, extremes, mean and standard deviation (of the population) in one pass.

    Source: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing
    sample variances" (how the blocks' means and squares are joined).
    """
    flat = array.reshape(-1)
    low, high, mean, squares, seen, zeros, nans = math.inf, -math.inf, 0.0, 0.0, 0, 0, 0
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, flat.size, _BLOCK):
            block = flat[start:start + _BLOCK].astype(np.float64)
            bad = np.isnan(block)
            if bad.any():
                nans += int(bad.sum())
                block = block[~bad]
            if not block.size:
                continue
            zeros += block.size - int(np.count_nonzero(block))
            low, high = min(low, float(block.min())), max(high, float(block.max()))
            centre = block.mean()
            delta, total = centre - mean, seen + block.size
            squares += np.square(block - centre).sum() + delta**2 * seen * block.size / total
            mean += delta * block.size / total
            seen = total
    if not seen:
        low = high = mean = math.nan
    std = math.sqrt(squares / seen) if seen and not math.isnan(squares) else math.nan
    return Statistics(flat.size, low, high, float(mean), std, zeros, nans)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    """Return rows of texts under a header, in aligned columns; ``right`` flushes a column right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    layout = "  ".join(f"{{:{'>' if flush else '<'}{width}}}"
                       for width, flush in zip(widths, right, strict=True))
    return "\n".join(layout.format(*row).rstrip() for row in (header, *rows))
