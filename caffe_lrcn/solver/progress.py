"""How training is getting on, in one line: rewritten in place, or written now and then."""
from __future__ import annotations

import os
import time
from collections import deque
from typing import TextIO

from ..glog import ERASE_LINE, can_redraw

_INTERVAL = 0.2     # seconds between two looks
_USUAL = 80         # columns of a terminal that does not tell
_REMEMBERED = 50    # looks that the rate is measured over
_SMOOTHED = 10      # looks whose losses are averaged
_PLAIN = 10.0       # least seconds between two lines where none can be rewritten
_PLAIN_PART = 0.1  # ... and the part of the whole time

#: Time in seconds, iterations done, loss if there is one.
Look = tuple[float, int, float | None]


class ProgressLine:
    """Share done, rate, smoothed loss, learning rate and time left.

    On a terminal the line is rewritten in place. Elsewhere it is silent, or with ``plain`` adds a
    line every ten seconds, or every tenth of the time that the run takes if that is longer.

    Args:
        stream: where to write, usually ``sys.stderr``.
        last: the iteration at which training ends.
        plain: write lines where none can be rewritten.
    """

    def __init__(self, stream: TextIO, last: int, plain: bool = False) -> None:
        self._stream, self._last = stream, last
        self._redraws = can_redraw(stream)
        self._enabled = self._redraws or plain
        self._looks: deque[Look] = deque(maxlen=_REMEMBERED)
        self._started = self._written = self._next = time.monotonic()

    def is_due(self) -> bool:
        """Tell whether it is time for ``show``."""
        return self._enabled and time.monotonic() >= self._next

    def show(self, iteration: int, loss: float | None = None, rate: float | None = None) -> None:
        """Look at the run; write the line if the last one is long enough ago."""
        now = time.monotonic()
        self._next = now + _INTERVAL
        self._looks.append((now, iteration, loss))
        looks = list(self._looks)
        if self._redraws:
            line = fitting(progress_text(looks, self._last, rate), _columns(self._stream))
            self._stream.write(ERASE_LINE + line)
        elif now - self._written >= max(_PLAIN, _PLAIN_PART * self._whole_time(looks)):
            self._written = now
            self._stream.write(progress_text(looks, self._last, rate) + "\n")
        self._stream.flush()

    def _whole_time(self, looks: list[Look]) -> float:
        now, iteration, _ = looks[-1]
        speed = _speed(looks)
        return now - self._started + ((self._last - iteration) / speed if speed else 0.0)

    def close(self) -> None:
        """Erase the line."""
        if self._redraws and self._looks:
            self._stream.write(ERASE_LINE)
            self._stream.flush()
        self._looks.clear()


def progress_text(looks: list[Look], last: int, rate: float | None) -> str:
    """Return the line, without a loss or a learning rate that is not there."""
    iteration = looks[-1][1]
    losses = [loss for _, _, loss in looks[-_SMOOTHED:] if loss is not None]
    speed = _speed(looks)
    left = duration((last - iteration) / speed) if speed else "?"
    pace = f"{speed:.{_digits(speed)}f}" if speed else "?"
    # The first parts are the last that a narrow terminal loses.
    parts = [f"{iteration}/{last} ({iteration / max(last, 1):.0%})", f"left {left}"]
    parts += [f"loss {sum(losses) / len(losses):.4g}"] if losses else []
    parts.append(f"{pace} it/s")
    return "  ".join([*parts, f"lr {rate:.3g}"] if rate is not None else parts)


def fitting(text: str, columns: int) -> str:
    """Return as many parts of ``text``, two spaces apart, as a line of ``columns`` holds.

    A longer line would wrap, and only its end could be rewritten.
    """
    while len(text) >= columns and "  " in text:
        text = text.rpartition("  ")[0]
    return text[:max(columns - 1, 0)]


def duration(seconds: float) -> str:
    """Return a time as ``m:ss`` or ``h:mm:ss``."""
    minutes, secs = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{secs:02d}" if hours else f"{minutes}:{secs:02d}"


def _speed(looks: list[Look]) -> float:
    (start, first, _), (now, iteration, _) = looks[0], looks[-1]
    return (iteration - first) / (now - start) if now > start else 0.0


def _digits(speed: float) -> int:
    """Return how many decimals show at least two figures of a rate."""
    return 2 if speed < 1 else 1 if speed < 100 else 0


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL
    except OSError:
        return _USUAL
