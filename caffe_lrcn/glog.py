"""Log lines as glog writes them, ``I1122 16:00:00.123456 12345 solver.py:218] …``.

A log file gets all of them. On stderr a command shows all of them, or in its brief form warnings
only, in plain words. Caffe's log parsers read the month from characters 1 and 2 of a line and the
day from the next two, so the prefix is the one without a year. Source: Caffe's logging through
glog; parse_log.py.
"""
from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from .errors import SnapshotError, UsageError
from .files import refuse_planted, writing
from .printable import printable_lines

logger = logging.getLogger("caffe_lrcn")

info, warning, error = logger.info, logger.warning, logger.error

_SEVERITIES = (logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)
#: Goes to the beginning of a terminal's line and clears it.
ERASE_LINE = "\r\x1b[K"


class GlogFormatter(logging.Formatter):
    """Puts glog's prefix before every message: severity, date, time, thread, file and line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for ``record``."""
        letter = {"CRITICAL": "F"}.get(record.levelname, record.levelname[0])
        moment = time.strftime("%m%d %H:%M:%S", time.localtime(record.created))
        micros = int(record.created % 1 * 1e6)
        thread = threading.get_native_id()
        message = printable_lines(record.getMessage())
        return (f"{letter}{moment}.{micros:06d} {thread:5d} "
                f"{record.filename}:{record.lineno}] {message}")


def can_redraw(stream: TextIO) -> bool:
    """Return whether a line of ``stream`` can be written again: a terminal that is not dumb."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class BriefFormatter(logging.Formatter):
    """Writes ``warning: …`` or ``error: …``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for ``record``."""
        return f"{record.levelname.lower()}: {printable_lines(record.getMessage())}"


class ConsoleHandler(logging.StreamHandler):
    """Writes to a stream, over a progress line that may stand there if it is a terminal.

    Args:
        stream: where lines go.
        brief: write warnings and errors only, without glog's prefix.
    """

    def __init__(self, stream: TextIO, brief: bool = False) -> None:
        super().__init__(stream)
        self._erase = ERASE_LINE if can_redraw(stream) else ""
        self.setFormatter(BriefFormatter() if brief else GlogFormatter())

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for ``record``, behind what erases a progress line."""
        return self._erase + super().format(record)


class _RunFile(logging.Handler):
    """The log file of one training; unlike logging's own handlers it does not hide a full disk."""

    def __init__(self, path: str) -> None:
        super().__init__()
        refuse_planted(path)
        self.path, self._file = path, open(path, "ab", buffering=0)
        self.setFormatter(GlogFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line.

        Raises:
            SnapshotError: it cannot be written.
        """
        line = f"{self.format(record)}\n".encode(errors="backslashreplace")
        with writing(self.path, SnapshotError, "the log file",
                     "Make room on the disk and resume from the last snapshot."):
            if self._file.write(line) != len(line):
                raise OSError(0, "only part of a line could be written")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def asks_for_stderr(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether glog's own variables ask for all lines on stderr, as Caffe's scripts do."""
    return any(environment.get(f"GLOG_{name}", "0").lower() not in ("", "0", "false", "no")
               for name in ("logtostderr", "alsologtostderr"))


def start(*, min_level: int = 0, log_dir: str | None = None, stream: TextIO | None = None,
          brief: bool = False) -> None:
    """Send log lines to ``stream`` (default stderr) and, if given, to a file in ``log_dir``.

    Args:
        min_level: 0 for everything, 1 from warnings, 2 from errors on.
        log_dir: an existing folder; the file is named after the program, time and process.
        stream: where lines go; handlers of an earlier call are replaced.
        brief: write to ``stream`` no more than warnings and errors, in plain words.

    Raises:
        UsageError: an unknown level, or a folder that cannot be written.
    """
    if not 0 <= min_level < len(_SEVERITIES):
        raise UsageError("unknown log level", got=min_level, wanted="0 to 3")
    handlers: list[logging.Handler] = [ConsoleHandler(stream or sys.stderr, brief)]
    if log_dir:
        handlers.append(_file_handler(log_dir))
    logger.setLevel(logging.INFO)
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    for handler in handlers:
        handler.setLevel(_SEVERITIES[min_level])
        logger.addHandler(handler)
    handlers[0].setLevel(max(handlers[0].level, logging.WARNING if brief else 0))
    logger.propagate = False


@contextmanager
def into_file(path: str, *, anew: bool) -> Iterator[None]:
    """Send all log lines of the block to a file as well, and to no file of an outer block.

    Args:
        path: the file; its folder is made.
        anew: keep an older file as ``<path>.old`` and start a new one; else go on behind it.

    Raises:
        SnapshotError: the file cannot be written.
    """
    with writing(path, SnapshotError, "the log file",
                 "Set snapshot_prefix to a folder that is writable, for example with "
                 "--set snapshot_prefix=out/mynet."):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if anew and os.path.lexists(path):
            os.replace(path, f"{path}.old")
        handler = _RunFile(path)
    outer = [one for one in logger.handlers if isinstance(one, _RunFile)]
    level = logger.level
    for one in outer:
        logger.removeHandler(one)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()
        logger.setLevel(level)
        for one in outer:
            logger.addHandler(one)


def _file_handler(folder: str) -> logging.Handler:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    path = os.path.join(folder, f"caffe-lrcn.INFO.{stamp}.{os.getpid()}")
    with writing(path, UsageError, "the log file",
                 "Give --log_dir a folder that exists and is writable."):
        # A link is not followed.
        handler = logging.FileHandler(_unused(path), mode="x", encoding="utf-8")
    handler.setFormatter(GlogFormatter())
    return handler


def _unused(path: str) -> str:
    names = (path, *(f"{path}.{number}" for number in range(1, 100)))
    return next((name for name in names if not os.path.lexists(name)), path)
