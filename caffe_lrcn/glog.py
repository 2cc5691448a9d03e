"""Log lines as glog writes them, ``I1122 16:00:00.123456 12345 solver.py:218] …``, on stderr.

Caffe's log parsers read the month from characters 1 and 2 of a line and the day from the next two,
so the prefix is the one without a year. Source: Caffe's logging through glog; parse_log.py.
"""
from __future__ import annotations

import logging
import os
import sys
import threading
import time
from typing import TextIO

from .errors import UsageError
from .files import writing
from .printable import printable_lines

logger = logging.getLogger("caffe_lrcn")

info, warning, error = logger.info, logger.warning, logger.error

_SEVERITIES = (logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)
_ERASE_LINE = "\r\x1b[K"


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


class ConsoleHandler(logging.StreamHandler):
    """Writes to a stream, over a progress line that may stand there if it is a terminal."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        if stream.isatty():
            self.setFormatter(_Erasing())
        else:
            self.setFormatter(GlogFormatter())


class _Erasing(GlogFormatter):
    def format(self, record: logging.LogRecord) -> str:
        return _ERASE_LINE + super().format(record)


def start(*, min_level: int = 0, log_dir: str | None = None,
          stream: TextIO | None = None) -> None:
    """Send log lines to ``stream`` (default stderr) and, if given, to a file in ``log_dir``.

    Args:
        min_level: 0 for everything, 1 from warnings, 2 from errors on.
        log_dir: an existing folder; the file is named after the program, time and process.
        stream: where lines go; handlers of an earlier call are replaced.

    Raises:
        UsageError: an unknown level, or a folder that cannot be written.
    """
    if not 0 <= min_level < len(_SEVERITIES):
        raise UsageError("unknown log level", got=min_level, wanted="0 to 3")
    handlers: list[logging.Handler] = [ConsoleHandler(stream or sys.stderr)]
    if log_dir:
        handlers.append(_file_handler(log_dir))
    logger.setLevel(logging.INFO)
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    for handler in handlers:
        handler.setLevel(_SEVERITIES[min_level])
        logger.addHandler(handler)
    logger.propagate = False


def _file_handler(folder: str) -> logging.Handler:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    path = os.path.join(folder, f"caffe-lrcn.INFO.{stamp}.{os.getpid()}")
    with writing(path, UsageError, "the log file",
                 "Give --log_dir a folder that exists and is writable."):
        handler = logging.FileHandler(_unused(path), mode="x")  # a link is not followed
    handler.setFormatter(GlogFormatter())
    return handler


def _unused(path: str) -> str:
    names = (path, *(f"{path}.{number}" for number in range(1, 100)))
    return next((name for name in names if not os.path.lexists(name)), path)
