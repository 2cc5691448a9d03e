"""What Ctrl-C and a closed terminal do to training: an action at the end of the iteration.

Source: Caffe's signal_handler (SIGINT stops, SIGHUP takes a snapshot, unless said otherwise).
"""
from __future__ import annotations

import enum
import os
import signal
from types import FrameType
from typing import Any


class Action(enum.Enum):
    """What a solver is asked to do after the current iteration."""

    NONE = "none"
    STOP = "stop"
    SNAPSHOT = "snapshot"


class SignalActions:
    """An action source for a solver; as a context manager it installs the handlers.

    A second SIGINT after one that stops raises KeyboardInterrupt at once.

    Args:
        sigint, sighup: what each signal asks for; Windows has no SIGHUP.
    """

    def __init__(self, sigint: Action = Action.STOP, sighup: Action = Action.SNAPSHOT) -> None:
        # In the order in which pending signals are looked at.
        named = {"SIGHUP": sighup, "SIGINT": sigint}
        self._effects = {int(getattr(signal, name)): effect for name, effect in named.items()
                         if hasattr(signal, name)}
        self._pending: set[int] = set()
        self._stopping = False
        self._previous: dict[int, Any] = {}

    def __call__(self) -> Action:
        """Return the action of a signal that came, and forget it."""
        for number, effect in self._effects.items():
            if number in self._pending:
                self._pending.discard(number)
                if effect is not Action.NONE:
                    return effect
        return Action.NONE

    def __enter__(self) -> SignalActions:
        for number in self._effects:
            self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT and self._effects[signal.SIGINT] is Action.STOP:
            if self._stopping:
                raise KeyboardInterrupt
            self._stopping = True
            # Not through print or logging: the signal may have come in the middle of either.
            os.write(2, b"\nStopping after this iteration; press Ctrl-C again to abort at once.\n")
        self._pending.add(number)
