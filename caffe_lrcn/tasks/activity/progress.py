"""Lines that say how far long work has come."""
from __future__ import annotations

import time
from collections.abc import Callable

from ...solver.progress import duration

_EVERY = 2.0  # seconds between two lines


class Progress:
    """Says every now and then how much is done and how long the rest takes.

    Args:
        whole: how many steps there are.
        unit: what a step is, in the plural.
        report: takes the lines.
    """

    def __init__(self, whole: int, unit: str, report: Callable[[str], None]) -> None:
        self._whole, self._unit, self._report = whole, unit, report
        self._done = self._idle = 0
        self._start = self._last = time.monotonic()

    def step(self, idle: bool = False) -> None:
        """Count a step and report, if the last time is long enough ago.

        Args:
            idle: the step took no time, since its work was done already.
        """
        self._done += 1
        self._idle += idle
        now = time.monotonic()
        if now - self._last < _EVERY or self._done == self._whole:
            return
        self._last = now
        worked = max(self._done - self._idle, 1)
        left = (self._whole - self._done) * (now - self._start) / worked
        self._report(f"{self._done} of {self._whole} {self._unit}, about {duration(left)} left")
