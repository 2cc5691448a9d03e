"""What a solver tells those who write down how a training goes."""
from __future__ import annotations

from typing import Protocol

from .report import Output


class Recorder(Protocol):
    """A terminal, or a file of events."""

    def write(self, iteration: int, net: str, rate: float, loss: float,
              outputs: list[Output]) -> None:
        """Take in a row of the CSV log: a display (``train``) or the means of a test (``test K``).

        A test that is broken off and done again after resuming is told twice.
        """

    def saving(self) -> None:
        """Hand over what is there: a snapshot will be written, behind which no row may be lost."""

    def saved(self, iteration: int, path: str) -> None:
        """Take in that a snapshot was written; ``path`` is its solver state."""

    def close(self) -> None:
        """Finish."""
