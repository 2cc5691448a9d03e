"""Tables of what a log tells about training and test nets: one row for each time it did."""
from __future__ import annotations

import csv
import os
import re
from dataclasses import dataclass, field

from .log_times import read_log, start_time, timed_lines

_NUMBER = r"([+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|nan|inf))"
_ITERATION = re.compile(r"Iteration (\d+)")
_RATE = re.compile(rf"lr = {_NUMBER}", re.IGNORECASE)
_OUTPUT = {net: re.compile(rf"{net} net output #(\d+): (\S+) = {_NUMBER}", re.IGNORECASE)
           for net in ("Train", "Test")}
_FIXED = ("NumIters", "Seconds", "LearningRate")

Row = dict[str, float]


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
    """
    paths = []
    for ending, rows in (("train", tables.train), ("test", tables.test)):
        path = os.path.join(folder, f"{os.path.basename(log)}.{ending}")
        columns = list(dict.fromkeys([*_FIXED, *(name for row in rows for name in row)]))
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
        paths.append(path)
    return paths
