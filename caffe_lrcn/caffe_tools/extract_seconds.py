"""Write the seconds from the start of training to each iteration: extract_seconds LOG OUT."""
from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from ..errors import DataError, UsageError
from ..files import new_file, read_lines
from ..proto.file_kinds import missing_file_remedy
from .program import Parser

# glog's prefix, with the year (from glog 0.6 on) or without it.
_PREFIX = re.compile(r"[IWEF](\d{4})?(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?\b")


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of Caffe's extract_seconds.py."""
    parser.add_argument("input_file")
    parser.add_argument("output_file")


def run(args: argparse.Namespace) -> int:
    """Write one number a line; return the exit code."""
    seconds = elapsed_seconds(args.input_file)
    with new_file(args.output_file, UsageError, "the list of seconds") as file:
        file.writelines(f"{value:f}\n" for value in seconds)
    return 0


def line_time(line: str, year: int) -> datetime | None:
    """Return when a log line was written, or None if it does not start as glog's lines do.

    Args:
        year: for lines that do not tell it.
    """
    match = _PREFIX.match(line)
    if not match:
        return None
    given, month, day, hour, minute, second, fraction = match.groups()
    try:
        return datetime(int(given or year), int(month), int(day), int(hour), int(minute),
                        int(second), int((fraction or "0").ljust(6, "0")))
    except ValueError:
        return None


def timed_lines(lines: Iterable[str], year: int) -> Iterator[tuple[datetime, str]]:
    """Yield the lines that have a time; a fall back of the date starts the next year.

    Args:
        year: of the first line, if lines do not tell it.
    """
    last: datetime | None = None
    for line in lines:
        time = line_time(line, year)
        if time is None:
            continue
        # More than half a year back is New Year; less is a clock that was set, or threads' lines.
        if last is not None and last - time > timedelta(days=183):
            year += 1
            time = line_time(line, year) or time
        last = time
        yield time, line


def start_time(lines: Iterable[str], year: int, path: str) -> datetime:
    """Return when training started: the time of the first line that says ``Solving``.

    Raises:
        DataError: no line does.

    Source: Caffe tools/extra/extract_seconds.py.
    """
    for time, line in timed_lines(lines, year):
        if "Solving" in line:
            return time
    raise DataError("the log does not say when training started", where=path,
                    wanted="a line 'Solving <net>' with glog's prefix",
                    remedy="Give the log of a training run with all INFO lines")


def read_log(path: str) -> tuple[list[str], int]:
    """Return the lines of a log and the year in which its file was last written to.

    Raises:
        DataError: it cannot be read.
    """
    try:
        lines = read_lines(path, errors="replace").splitlines()
        return lines, datetime.fromtimestamp(os.path.getmtime(path)).year
    except (OSError, OverflowError) as error:
        near = missing_file_remedy(path) if isinstance(error, FileNotFoundError) else None
        raise DataError("the log cannot be read", where=path, remedy=near,
                        got=getattr(error, "strerror", error)) from None


def elapsed_seconds(path: str) -> list[float]:
    """Return the seconds from the start of training to each line that names an iteration.

    Raises:
        DataError: the log cannot be read, or does not say when training started.

    Source: Caffe tools/extra/extract_seconds.py.
    """
    lines, year = read_log(path)
    start = start_time(lines, year, path)
    return [(time - start).total_seconds() for time, line in timed_lines(lines, year)
            if "Iteration" in line]
