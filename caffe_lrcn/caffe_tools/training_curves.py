"""What training runs wrote down, as curves: from a run's folder, a CSV log, or a log file."""
from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..drawing.chart import Chart, Curve
from ..errors import DataError, UsageError
from .parse_log import Row, parse_log

_CSV, _LOG = "_log.csv", ".log"
_RATE = "lr"
_SIZE = 900, 420

Points = dict[float, float]


@dataclass
class Run:
    """A training: ``curves[column][net]`` maps iterations to values; ``net`` as in the CSV log."""

    name: str
    path: str
    curves: dict[str, dict[str, Points]] = field(default_factory=dict)

    def add(self, column: str, net: str, iteration: float, value: float) -> None:
        """Add a point; one of the same iteration is replaced (a resumed run tells it again)."""
        self.curves.setdefault(column, {}).setdefault(net, {})[iteration] = value


def read_run(path: str) -> Run:
    """Read a run.

    Args:
        path: a folder with one CSV log or log file in it, or such a file.

    Raises:
        DataError: there is nothing to read, or it is damaged.
    """
    found = _log_in(path) if os.path.isdir(path) else path
    name = os.path.basename(os.path.abspath(path))
    run = Run(name.removesuffix(_CSV).removesuffix(_LOG), found)
    (_read_csv if found.endswith(".csv") else _read_log)(run)
    if not run.curves:
        raise DataError("the log has no values yet", where=found)
    return run


def training_charts(runs: Sequence[Run], shown: Sequence[str] = ()) -> list[Chart]:
    """Return one chart for each column, with the curves of all runs.

    Args:
        runs: what to compare.
        shown: columns; none stands for all.

    Raises:
        UsageError: no run has such a column.
    """
    columns = list(dict.fromkeys(column for run in runs for column in run.curves))
    for column in shown:
        if column not in columns:
            raise UsageError("no log has this column", got=column, wanted=", ".join(columns))
    names = _run_names(runs)
    charts = []
    for column in shown or sorted(columns, key=lambda column: column == _RATE):
        curves = [Curve(f"{name} {net}".strip(), sorted(points.items()))
                  for run, name in zip(runs, names, strict=True)
                  for net, points in sorted(run.curves.get(column, {}).items(),
                                            key=lambda item: (item[0] != "train", item[0]))]
        charts.append(Chart(column, "iteration", "", curves, _SIZE))
    return charts


def _run_names(runs: Sequence[Run]) -> list[str]:
    if len(runs) == 1:
        return [""]
    names = [run.name for run in runs]
    return names if len(set(names)) == len(names) else [run.path for run in runs]


def _log_in(folder: str) -> str:
    for ending in (_CSV, _LOG):
        files = sorted(str(path) for path in Path(folder).glob(f"*{ending}"))
        if len(files) > 1:
            raise DataError("the folder has several logs", where=folder, got=", ".join(files),
                            remedy="Name those to draw")
        if files:
            return files[0]
    raise DataError("the folder has no log", where=folder, wanted=f"*{_CSV} or *{_LOG}")


def _read_csv(run: Run) -> None:
    try:
        with open(run.path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if not {"iteration", "net", _RATE} <= set(reader.fieldnames or ()):
                raise DataError("this is not the CSV log of a training", where=run.path,
                                wanted="columns iteration, net, lr, …")
            for row in reader:
                for column, value in row.items():
                    if column in ("iteration", "net") or not value:
                        continue
                    if column == _RATE and row["net"] != "train":
                        continue
                    run.add(str(column), row["net"], float(row["iteration"]), float(value))
    except (OSError, ValueError, TypeError, csv.Error) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"the CSV log cannot be read: {error}", where=run.path) from None


def _read_log(run: Run) -> None:
    tables = parse_log(run.path)
    for row in tables.train:
        _add_row(run, "train", row)
        run.add(_RATE, "train", row["NumIters"], row["LearningRate"])
    last, number = -1.0, 0
    for row in tables.test:
        # The rows of several test nets follow each other.
        number = number + 1 if row["NumIters"] == last else 0
        last = row["NumIters"]
        _add_row(run, f"test {number}", row)


def _add_row(run: Run, net: str, row: Row) -> None:
    for column, value in row.items():
        if column not in ("NumIters", "Seconds", "LearningRate"):
            run.add(column, net, row["NumIters"], value)
