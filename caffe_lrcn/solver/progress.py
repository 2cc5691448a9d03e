"""One line at the bottom of a terminal that says how training is getting on."""
from __future__ import annotations

import os
import time
from collections import deque
from typing import TextIO

_INTERVAL = 0.2     # seconds between two redraws
_USUAL = 80         # columns of a terminal that does not tell
_REMEMBERED = 50    # redraws that the rate is measured over


class ProgressLine:
    """Rate, loss, learning rate and time left, rewritten in place; silent if not on a terminal.

    Args:
        stream: where to write, usually ``sys.stderr``.
        last: the iteration at which training ends.
    """

    def __init__(self, stream: TextIO, last: int) -> None:
        self._stream, self._last = stream, last
        self._enabled = stream.isatty()
        self._points: deque[tuple[float, int]] = deque(maxlen=_REMEMBERED)

    def is_due(self) -> bool:
        """Tell whether ``show`` would redraw the line."""
        return self._enabled and (not self._points or
                                  time.monotonic() - self._points[-1][0] >= _INTERVAL)

    def show(self, iteration: int, loss: float, rate: float) -> None:
        """Redraw the line if the last time is long enough ago."""
        if not self.is_due():
            return
        self._points.append((time.monotonic(), iteration))
        text = progress_text(list(self._points), self._last, loss, rate)
        self._stream.write(f"\r\x1b[K{fitting(text, _columns(self._stream))}")
        self._stream.flush()

    def close(self) -> None:
        """Erase the line."""
        if self._enabled and self._points:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._points.clear()


def progress_text(points: list[tuple[float, int]], last: int, loss: float, rate: float) -> str:
    """Return the line; ``points`` are times in seconds and the iterations reached then."""
    (start, first), (now, iteration) = points[0], points[-1]
    speed = (iteration - first) / (now - start) if now > start else 0.0
    left = _duration((last - iteration) / speed) if speed else "?"
    return (f"{iteration}/{last}  {speed:.1f} it/s  loss {loss:.4g}  lr {rate:.3g}  "
            f"left {left}")


def fitting(text: str, columns: int) -> str:
    """Return as many parts of ``text``, two spaces apart, as a line of ``columns`` holds.

    A longer line would wrap, and only its end could be rewritten.
    """
    while len(text) >= columns and "  " in text:
        text = text.rpartition("  ")[0]
    return text[:max(columns - 1, 0)]


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL
    except OSError:
        return _USUAL


def _duration(seconds: float) -> str:
    minutes, secs = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{secs:02d}" if hours else f"{minutes}:{secs:02d}"
