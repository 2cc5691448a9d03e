"""What runs with several seeds show: means with their spread, and orderings that hold or not."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: What an ordering can turn out to be.
HOLDS, MEAN_ONLY, REVERSED, UNKNOWN = (
    "holds", "within the spread", "the other way round", "not run yet")


@dataclass(frozen=True)
class Measured:
    """One cell of a table: a figure for each seed, beside the paper's.

    Args:
        values: of each seed, in the same order everywhere; empty where nothing was run.
        paper: what the paper has there, as text; empty if nothing.
    """

    values: tuple[float, ...]
    paper: str = ""

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return float(np.mean(self.values))

    @property
    def spread(self) -> float:
        """Half of the distance between the best and the worst seed."""
        return float(np.ptp(self.values)) / 2

    def text(self) -> str:
        """Return ``mean ± spread``, of one seed the mean alone, or a dash."""
        if not self.values:
            return "–"
        spread = f" ± {self.spread:.1f}" if len(self.values) > 1 else ""
        return f"{self.mean:.1f}{spread}"


@dataclass(frozen=True)
class Table:
    """Rows of cells under headings; the first column is the system's name.

    Args:
        title: one line.
        columns: a heading for each cell of a row.
        rows: (system, cells).
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Measured]]]

    def lines(self) -> list[list[str]]:
        """Return the heading and the rows as texts; the paper's figures stand in brackets."""
        head = ["", *self.columns]
        return [head, *([name, *(f"{cell.text()} ({cell.paper})" if cell.paper else cell.text()
                                 for cell in cells)] for name, cells in self.rows)]


@dataclass(frozen=True)
class Ordering:
    """A claim that one system is better than another.

    Args:
        text: the claim, such as ``LRCN is better than a single frame, on flow``.
        better, worse: what was measured, seed by seed.
        paper: the paper's difference, as text; empty where the paper does not claim it.
    """

    text: str
    better: Measured
    worse: Measured
    paper: str = ""

    @property
    def verdict(self) -> str:
        """``HOLDS`` if the worst seed of the better system beats the best seed of the other."""
        if not self.better.values or not self.worse.values:
            return UNKNOWN
        if min(self.better.values) > max(self.worse.values):
            return HOLDS
        if max(self.better.values) < min(self.worse.values):
            return REVERSED
        return MEAN_ONLY

    @property
    def difference(self) -> str:
        """The difference of the means, with a sign; a dash if one was not run."""
        if self.verdict == UNKNOWN:
            return "–"
        return f"{self.better.mean - self.worse.mean:+.1f}"


def text_table(lines: Sequence[Sequence[str]]) -> str:
    """Return rows as text with columns of one width, the first to the left."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(
        cell.ljust(width) if index == 0 else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(line, widths, strict=True))).rstrip()
        for line in lines)


def markdown_table(lines: Sequence[Sequence[str]]) -> str:
    """Return rows, the heading first, as a table of Markdown."""
    head, *rows = (f"| {' | '.join(line)} |" for line in lines)
    rule = "|" + "---|" * len(lines[0])
    return "\n".join((head, rule, *rows))


def ordering_lines(orderings: Sequence[Ordering]) -> list[list[str]]:
    """Return orderings as rows of a table, the heading first."""
    return [["ordering", "here", "in the paper", "verdict"],
            *([item.text, item.difference, item.paper or "–", item.verdict]
              for item in orderings)]
