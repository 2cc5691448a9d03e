"""Lines that say how far long work has come."""
from __future__ import annotations

import time
from collections.abc import Callable

from ..solver.progress import duration

_EVERY = 2.0  # seconds between two lines


class Progress:
    """Says every now and then how much is done and how long the rest takes.

    Args:
        whole: how many steps there are.
        unit: what a step is, in the plural, or what a step does to it.
        report: takes the lines.
    """

    def __init__(self, whole: int, unit: str, report: Callable[[str], None]) -> None:
        self._whole, self._unit, self._report = whole, unit, report
        self._done = self._idle = 0
        self._start = self._last = time.monotonic()

    def step(self, count: int = 1, idle: bool = False) -> None:
        """Count steps and report, if the last time is long enough ago.

        Args:
            count: how many steps are done.
            idle: they took no time, since their work was done already.
        """
        self._done += count
        self._idle += count * idle
        now = time.monotonic()
        if now - self._last < _EVERY or self._done == self._whole:
            return
        self._last = now
        worked = max(self._done - self._idle, 1)
        left = (self._whole - self._done) * (now - self._start) / worked
        self._report(f"{self._done} of {self._whole} {self._unit}, about {duration(left)} left")
