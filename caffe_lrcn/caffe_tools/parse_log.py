"""Write what a training log tells as tables: parse_log LOGFILE OUTPUT_DIR [flags].

LOGFILE.train and LOGFILE.test have a row for each time that the outputs of the training or the
test net were told.
"""
from __future__ import annotations

import argparse
import csv
import os
import re
from dataclasses import dataclass, field

from ..errors import UsageError
from ..files import new_file
from .extract_seconds import read_log, start_time, timed_lines
from .program import Parser

_NUMBER = r"([+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|nan|inf))"
_ITERATION = re.compile(r"Iteration (\d{1,18})\b")
_RATE = re.compile(rf"lr = {_NUMBER}", re.IGNORECASE)
_OUTPUT = {net: re.compile(rf"{net} net output #(\d{{1,9}}): (\S+) = {_NUMBER}", re.IGNORECASE)
           for net in ("Train", "Test")}
_FIXED = ("NumIters", "Seconds", "LearningRate")

Row = dict[str, float]


def add_arguments(parser: Parser) -> None:
    """Declare the flags of Caffe's parse_log.py."""
    parser.add_argument("logfile_path")
    parser.add_argument("output_dir")
    parser.add_switch("verbose", "say which files are written")
    parser.add_argument("--delimiter", default=",", help="between the columns (default: a comma)")


def run(args: argparse.Namespace) -> int:
    """Write the tables; return the exit code."""
    if len(args.delimiter) != 1:
        raise UsageError("a delimiter is one character", got=repr(args.delimiter))
    paths = write_tables(parse_log(args.logfile_path), args.logfile_path, args.output_dir,
                         args.delimiter)
    if args.verbose:
        print("\n".join(f"Wrote {path}" for path in paths))
    return 0


@dataclass
class LogTables:
    """Rows with ``NumIters``, ``Seconds`` since the start, ``LearningRate``, and every output.

    The rate is the one that was told last before the row; that of the first row is taken from the
    second.
    """

    train: list[Row]
    test: list[Row]


@dataclass
class _Table:
    """Rows of one kind of net, as its outputs come in."""

    rows: list[Row] = field(default_factory=list)
    last_output: int = -1

    def add(self, number: int, name: str, value: float, head: Row) -> None:
        """Store an output; one of another iteration, or of the next test net, starts a row."""
        # The numbers of one net's outputs rise, so a number that does not is the next net's.
        if (not self.rows or self.rows[-1]["NumIters"] != head["NumIters"]
                or number <= self.last_output):
            self.rows.append(dict(head))
        self.rows[-1][name] = value
        self.last_output = number

    def finished(self) -> list[Row]:
        """Return the rows."""
        if len(self.rows) > 1:
            self.rows[0]["LearningRate"] = self.rows[1]["LearningRate"]
        return self.rows


def parse_log(path: str) -> LogTables:
    """Read the outputs of training and test nets from a log.

    Raises:
        DataError: the log cannot be read, or does not say when training started.

    Source: Caffe tools/extra/parse_log.py.
    """
    lines, year = read_log(path)
    start = start_time(lines, year, path)
    tables = {net: _Table() for net in _OUTPUT}
    iteration, rate = -1, float("nan")
    for time, line in timed_lines(lines, year):
        if match := _ITERATION.search(line):
            iteration = int(match[1])
        if iteration < 0:
            continue
        if match := _RATE.search(line):
            rate = float(match[1])
        for net, pattern in _OUTPUT.items():
            if match := pattern.search(line):
                values = (float(iteration), (time - start).total_seconds(), rate)
                head = dict(zip(_FIXED, values, strict=True))
                tables[net].add(int(match[1]), match[2], float(match[3]), head)
    return LogTables(tables["Train"].finished(), tables["Test"].finished())


def write_tables(tables: LogTables, log: str, folder: str, delimiter: str = ",") -> list[str]:
    """Write ``<log>.train`` and ``<log>.test`` to a folder; return their paths.

    A row that lacks an output of another row has an empty field.

    Raises:
        UsageError: a table cannot be written.
    """
    paths = []
    for ending, rows in (("train", tables.train), ("test", tables.test)):
        path = os.path.join(folder, f"{os.path.basename(log)}.{ending}")
        columns = list(dict.fromkeys([*_FIXED, *(name for row in rows for name in row)]))
        with new_file(path, UsageError, "the table", newline="") as file:
            writer = csv.DictWriter(file, columns, delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
        paths.append(path)
    return paths
