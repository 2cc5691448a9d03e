"""What the test nets said last and at best, and whether that still gets better."""
from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import UsageError
from .report import Output, counted, named_values

_HIGHER = ("acc", "precision", "recall", "map", "bleu", "cider", "meteor", "rouge", "score", "iou",
           "auc", "f1")
_LOWER = ("loss", "err", "perplexity", "entropy", "distance")


@dataclass
class Score:
    """Values of one output of one test net.

    ``best`` was reached at iteration ``at``; ``since`` counts the tests after that.
    """

    last: float
    best: float
    at: int
    since: int = 0


class Scores:
    """A score for each output, by test net (``test 0``) and name.

    Args:
        most: outputs with more elements than this are left out.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.signs: dict[str, int] = {}  # of outputs whose direction was given
        self.table: dict[tuple[str, str], Score] = {}

    def write(self, iteration: int, net: str, rate: float, loss: float,
              outputs: list[Output]) -> None:
        """Take in a row of the CSV log; those of the train net are left out."""
        if net == "train" or len(outputs) > self._most:
            return
        for name, value in named_values(outputs).items():
            score = self.table.get((net, name))
            if score is None:
                self.table[net, name] = Score(value, value, iteration)
            elif (self.sign(name) * (value - score.best) > 0
                  or math.isnan(score.best) > math.isnan(value)):
                self.table[net, name] = Score(value, value, iteration)
            else:
                score.last, score.since = value, score.since + 1

    def sign(self, name: str) -> int:
        """Return 1 where a higher value is better, -1 where a lower one is, 0 if it is unknown."""
        return self.signs.get(name, direction(name))

    def state(self) -> list[dict[str, Any]]:
        """Return what ``restore`` takes."""
        return [{"net": net, "name": name, **asdict(score)}
                for (net, name), score in self.table.items()]

    def restore(self, state: list[dict[str, Any]]) -> None:
        """Take back what ``state`` returned."""
        self.table = {(row["net"], row["name"]):
                      Score(row["last"], row["best"], row["at"], row["since"]) for row in state}


def direction(name: str) -> int:
    """Guess from an output's name whether more is better (1) or less (-1); 0: it does not say."""
    lower = name.lower()
    if any(word in lower for word in _LOWER):
        return -1
    return int(any(word in lower for word in _HIGHER))


@dataclass(frozen=True)
class Patience:
    """Ends a training whose tests no longer get better.

    Args:
        tests: how many tests in a row may bring no improvement.
        net: the test net that is watched, such as ``test 0``.
        name: its output.
        sign: 1 if more is better, -1 if less is.
    """

    tests: int
    net: str
    name: str
    sign: int

    def __str__(self) -> str:
        way = "highest" if self.sign > 0 else "lowest"
        return (f"stops after {counted(self.tests, 'test')} without a better {self.name} of "
                f"{self.net} ({way} is best)")

    def verdict(self, scores: Scores) -> str | None:
        """Return why training ends now, or None if it goes on."""
        score = scores.table.get((self.net, self.name))
        if score is None or score.since < self.tests:
            return None
        return (f"{self.name} of {self.net} has not improved in {counted(score.since, 'test')} "
                f"(best {score.best:.4g} at iteration {score.at})")


def find_patience(tests: int, monitor: str | None, outputs: list[tuple[str, str]]) -> Patience:
    """Return what ``--patience`` and ``--monitor`` ask for.

    Args:
        tests: how many tests without improvement end the training.
        monitor: an output's name, with ``:max`` or ``:min`` behind it where it does not say which
            is better; None: the first output that does.
        outputs: test net and name of each output.

    Raises:
        UsageError: there is no such output, or its direction is not known.
    """
    if not outputs:
        raise UsageError("--patience needs a test net, and the solver has none",
                         remedy="Set test_iter and test_interval in the solver")
    return Patience(tests, *find_output("--monitor", monitor or "", outputs))


def find_output(flag: str, wanted: str,
                outputs: list[tuple[str, str]]) -> tuple[str, str, int]:
    """Return test net, name and direction (1: more is better, or -1) of an output.

    Args:
        flag: what names it.
        wanted: its name, with ``:max`` or ``:min`` behind it where it does not say which is
            better; empty: the first output that does.
        outputs: test net and name of each output.

    Raises:
        UsageError: there is no such output, or its direction is not known.
    """
    name, _, way = wanted.partition(":")
    if way not in ("", "max", "min"):
        raise UsageError(f"{flag} takes NAME, NAME:max or NAME:min", got=wanted)
    for net, output in outputs:
        sign = {"max": 1, "min": -1}.get(way, direction(output))
        if sign and (output == name or not name):
            return net, output, sign
    names = ", ".join(dict.fromkeys(output for _, output in outputs))
    if name and name not in names.split(", "):
        raise UsageError(f"{flag} names no output of a test net", got=name, wanted=names or None,
                         remedy=None if names else "Set test_iter and test_interval in the solver")
    raise UsageError("whether more or less is better cannot be told from the output's name",
                     got=name or names,
                     remedy=f"Say {flag} {name or outputs[0][1]}:max or :min")
