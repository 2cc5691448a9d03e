"""A training that ends after a given time."""
from __future__ import annotations

import re
import time
from collections.abc import Callable

from ..errors import UsageError
from .signals import Action

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class Deadline:
    """Asks another source of actions, and stops once the time is over.

    Args:
        seconds: from now on.
        actions: the other source, such as signals.
    """

    def __init__(self, seconds: float, actions: Callable[[], Action]) -> None:
        self._end, self._actions = time.monotonic() + seconds, actions
        self.passed = False

    def __call__(self) -> Action:
        """Return the other source's action, or STOP after the end."""
        action = self._actions()
        if action is Action.NONE and time.monotonic() >= self._end:
            self.passed = True
            return Action.STOP
        return action


def seconds(text: str) -> float:
    """Return the seconds that ``90``, ``30m``, ``1.5h`` or ``1h30m`` stand for.

    Raises:
        UsageError: it is no such time.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    whole = "".join(number + unit for number, unit in parts)
    total = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if whole != text or not total:
        raise UsageError("this is not a time", got=repr(text), wanted="90s, 30m, 1.5h or 1h30m")
    return total
