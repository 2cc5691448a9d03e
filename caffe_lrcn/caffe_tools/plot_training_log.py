"""Draw a chart of training logs: plot_training_log CHART_TYPE SAVE_PATH LOG…

SAVE_PATH ends in .svg, .png or .jpg; the names of logs end in .log.
"""
from __future__ import annotations

import argparse
import os
from dataclasses import dataclass

from ..drawing.chart import Chart, Curve, save_chart
from ..errors import DataError, UsageError
from .parse_log import Row, parse_log
from .program import Parser


@dataclass(frozen=True)
class ChartKind:
    """What a chart shows: a table, the words its columns' names have, and the horizontal axis."""

    name: str
    table: str
    column: str
    x_column: str


_AXES = {"Iters": ("NumIters", "Iterations"), "Seconds": ("Seconds", "Seconds")}
_SHOWN = (("Test accuracy", "test", "accuracy"), ("Test loss", "test", "loss"),
          ("Train learning rate", "train", "LearningRate"), ("Train loss", "train", "loss"))
#: Chart types by Caffe's numbers, 0 to 7.
KINDS = [ChartKind(f"{name} vs. {axis}", table, column, x_column)
         for name, table, column in _SHOWN for axis, (x_column, _) in _AXES.items()]


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of Caffe's plot_training_log.py."""
    parser.add_argument("chart_type", type=int, help=", ".join(
        f"{number}: {kind.name}" for number, kind in enumerate(KINDS)))
    parser.add_argument("save_path")
    parser.add_argument("log", nargs="+")


def run(args: argparse.Namespace) -> int:
    """Draw the chart; return the exit code."""
    save_chart(training_chart(args.chart_type, args.log), args.save_path)
    return 0


def training_chart(kind: int, logs: list[str]) -> Chart:
    """Return a chart of one or more logs, with a curve for each output that the kind shows.

    Outputs are chosen by name: for loss charts those that are called loss, or else error.

    Raises:
        UsageError: there is no such kind, or a log's name does not end in .log.
        DataError: a log cannot be read, or has nothing to show.

    Source: Caffe tools/extra/plot_training_log.py.example.
    """
    if not 0 <= kind < len(KINDS):
        raise UsageError("there is no such chart", got=kind, wanted=f"0 to {len(KINDS) - 1}")
    chosen, curves = KINDS[kind], []
    for path in logs:
        if not path.endswith(".log"):
            raise UsageError("the name of a log file ends in .log", got=path)
        rows: list[Row] = getattr(parse_log(path), chosen.table)
        columns = shown_columns(rows, chosen.column)
        if not columns:
            told = ", ".join(dict.fromkeys(name for row in rows for name in row)) or "nothing"
            raise DataError(f"the log has nothing for '{chosen.name}'", where=path, got=told,
                            wanted=f"an output whose name has '{chosen.column}'")
        for column in columns:
            points = [(row[chosen.x_column], row[column]) for row in rows if column in row]
            curves.append(Curve(_curve_name(path, column, len(logs), len(columns)), points))
    label = dict(_AXES.values())[chosen.x_column]
    return Chart(chosen.name, label, chosen.name.partition(" vs. ")[0], curves)


def shown_columns(rows: list[Row], wanted: str) -> list[str]:
    """Return the columns whose name has the wanted word; for ``loss`` else those with error."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    for word in (wanted, "error") if wanted == "loss" else (wanted,):
        found = [name for name in names if word.lower() in name.lower()]
        if found:
            return found
    return []


def _curve_name(path: str, column: str, logs: int, columns: int) -> str:
    log = os.path.basename(path).removesuffix(".log")
    if logs == 1:
        return column
    return f"{log}: {column}" if columns > 1 else log
