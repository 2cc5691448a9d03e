"""What a training shows on the terminal: a summary, tests, snapshots, the result.

All of Caffe's lines go to the log file; see ``glog``.
"""
from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from ..glog import ERASE_LINE, can_redraw
from ..net.freeze import frozen_layers
from ..net.net import Net
from ..printable import printable_lines
from .progress import duration
from .report import Output, counted, named_values

if TYPE_CHECKING:
    from .solver import Solver

_WIDTH = 13         # columns of the names
_MOST_SHOWN = 8     # values of a test


class Console:
    """Writes for people: one fact per line, no log prefixes.

    Args:
        stream: usually ``sys.stderr``.
        short: no more than a line for the beginning, each test, and the end.
    """

    def __init__(self, stream: TextIO, short: bool = False) -> None:
        self._stream, self._short = stream, short
        self._erase = ERASE_LINE if can_redraw(stream) else ""
        self._begun, self._last = time.monotonic(), 0

    def begin(self, solver: Solver, resumed: str | None, log: str) -> None:
        """Say what is trained, on what, how long, and where the results go."""
        param, net, place = solver.param, solver.net, solver.definition.place
        self._begun, self._last = time.monotonic(), param.max_iter
        title = f"Training {net.name or 'a net without a name'}"
        if self._short:
            self._say(f"{title} ({_net_words(net)}); log in {log}")
            return
        self._say(title)
        self._fact("solver", place.file)
        self._fact("net", _net_words(net))
        for line in _data_lines(net):
            self._fact("data", line)
        for number, test_net in enumerate(solver.test_nets):
            self._fact(f"test {number}", f"{'; '.join(_data_lines(test_net)) or 'no data layer'}; "
                                         f"{counted(param.test_iter[number], 'batch', 'es')}")
        self._fact("device", f"{solver.backend.name}, --math {solver.backend.math}")
        for report in solver.loaded:
            for line in report.lines():
                self._fact("weights" if not line.startswith(" ") else "", line.strip())
        if net.settings.frozen:
            self._fact("frozen", ", ".join(frozen_layers(net)))
        if resumed:
            self._fact("goes on from", resumed)
        self._fact("iterations", _plan_words(solver))
        if solver.patience:
            self._fact("patience", str(solver.patience))
        self._fact("snapshots", f"{solver.prefix}_iter_*")
        self._fact("log", f"{log}, {solver.csv.path}")

    def write(self, iteration: int, net: str, rate: float, loss: float,
              outputs: list[Output]) -> None:
        """Show the means of a test; the progress line shows the rest."""
        if net == "train":
            return
        values = [f"{name} {value:.4g}" for name, value in named_values(outputs).items()]
        more = f", and {len(values) - _MOST_SHOWN} more" if len(values) > _MOST_SHOWN else ""
        self._say(f"{self._at(iteration)}  {net}: {', '.join(values[:_MOST_SHOWN])}{more}")

    def saving(self) -> None:
        """Do nothing: no row waits here."""

    def saved(self, iteration: int, path: str) -> None:
        """Say where a snapshot is."""
        if not self._short:
            self._say(f"{self._at(iteration)}  snapshot {path}")

    def close(self) -> None:
        """Nothing is left to do."""

    def end(self, solver: Solver, log: str) -> None:
        """Say how it went, and where the results are."""
        how = "Stopped" if solver.stopped_early else "Done"
        self._say(f"{how} at iteration {solver.iter} after "
                  f"{duration(time.monotonic() - self._begun)}")
        if self._short:
            return
        if solver.why_stopped:
            self._fact("reason", solver.why_stopped)
        if solver.losses.losses:
            count = len(solver.losses.losses)
            over = f" (mean of {count} iterations)" if count > 1 else ""
            self._fact("loss", f"{solver.losses.mean:.4g}{over}")
        for line in _score_lines(solver):
            self._fact(*line)
        if solver.last_snapshot:
            self._fact("snapshot", solver.last_snapshot)
            self._fact("go on", f"with --snapshot {shlex.quote(solver.last_snapshot)}"
                                + ("" if solver.stopped_early else " and a larger max_iter"))
        self._fact("log", log)
        if os.path.exists(solver.csv.path):
            self._fact("chart", f"caffe-lrcn plot {shlex.quote(solver.csv.path)}")

    def _at(self, iteration: int) -> str:
        return f"{iteration:>{len(str(self._last))}}/{self._last}"

    def _fact(self, name: str, text: str) -> None:
        self._say(f"  {name:<{_WIDTH}} {text}")

    def _say(self, line: str) -> None:
        self._stream.write(f"{self._erase}{printable_lines(line)}\n")
        self._stream.flush()


def _net_words(net: Net) -> str:
    count = sum(blob.count for blob in net.learnable_params)
    learnt = sum(blob.count for blob, rate in zip(net.learnable_params, net.param_lr, strict=True)
                 if rate)
    words = f"{net.definition.place.file}: {len(net.layers)} layers, {count:,} parameters"
    return words if learnt == count else f"{words}, {learnt:,} of them learnt"


def _data_lines(net: Net) -> Iterator[str]:
    """Yield a line about each layer that brings data in."""
    for node in net.nodes:
        if node.bottom or not node.top or node.layer.blobs:
            continue
        sources = [message.source for field, message in node.layer.param.ListFields()
                   if field.message_type and "source" in field.message_type.fields_by_name]
        shape = " x ".join(map(str, node.top[0].shape))
        yield f"{', '.join(sources) or node.layer.name} ({node.layer.param.type}, {shape})"


def _plan_words(solver: Solver) -> str:
    param = solver.param
    words = [f"{solver.iter} to {param.max_iter}" if solver.iter else str(param.max_iter)]
    if solver.test_nets and param.test_interval:
        words.append(f"a test every {param.test_interval}")
    if param.snapshot:
        words.append(f"a snapshot every {param.snapshot}")
    return ", ".join(words)


def _score_lines(solver: Solver) -> Iterator[tuple[str, str]]:
    for (net, name), score in list(solver.scores.table.items())[:_MOST_SHOWN]:
        text = f"{name} {score.last:.4g}"
        if solver.scores.sign(name):
            best = "the best," if not score.since else f"best {score.best:.4g}"
            text += f" ({best} at {score.at})"
        yield net, text
