"""Which snapshots stay: the last ones, and the best one by an output of a test net."""
from __future__ import annotations

import glob
import os
import re
from contextlib import suppress
from dataclasses import dataclass

from .. import glog
from .report import Output
from .scores import Scores

_SIDECAR = re.compile(r"_iter_(\d+)\.resume")
# The state goes first, so that no state ever stands without its weights; the sidecar goes last,
# so that what a kill leaves is known and removed by the next rotation.
_ENDINGS = (".solverstate", ".solverstate.h5", ".caffemodel", ".caffemodel.h5", ".resume")


@dataclass
class Rotation:
    """Removes old snapshots, each time after a new one is complete.

    Only sets with a sidecar are removed, which this program has written, and none that is further
    than the new one (a run that goes on from an earlier one of them).

    Args:
        prefix: of the snapshots.
        keep: how many stay; None: all.
        scores: what the tests said.
        best: test net and output by which the best one stays as well, such as
            ``("test 0", "accuracy")``.
    """

    prefix: str
    keep: int | None
    scores: Scores
    best: tuple[str, str] | None = None

    def is_best(self, iteration: int) -> bool:
        """Tell whether the tests of this iteration were better than all before."""
        return bool(iteration) and self._best_iteration() == iteration

    def write(self, iteration: int, net: str, rate: float, loss: float,
              outputs: list[Output]) -> None:
        """Do nothing: the scores know."""

    def saving(self) -> None:
        """Do nothing: the scores are in the snapshot."""

    def saved(self, iteration: int, path: str) -> None:
        """Remove what is no longer to be kept, now that the set of ``iteration`` is complete."""
        if self.keep is None:
            return
        taken = sorted(number for number in self._iterations() if number <= iteration)
        kept = {*taken[-self.keep:], iteration, self._best_iteration()}
        for number in taken:
            if number not in kept:
                self._remove(number)

    def close(self) -> None:
        """Nothing is left to do."""

    def _best_iteration(self) -> int | None:
        score = self.scores.table.get(self.best) if self.best else None
        return score.at if score else None

    def _iterations(self) -> list[int]:
        found = []
        for path in glob.glob(f"{glob.escape(self.prefix)}_iter_*.resume"):
            match = _SIDECAR.fullmatch(path, len(self.prefix))
            if match:
                found.append(int(match[1]))
        return found

    def _remove(self, iteration: int) -> None:
        stem = f"{self.prefix}_iter_{iteration}"
        try:
            for ending in _ENDINGS:
                with suppress(FileNotFoundError):
                    os.remove(stem + ending)
        except OSError as error:
            glog.warning(f"The old snapshot {stem} cannot be removed: {error.strerror}")
        else:
            glog.info(f"Removed the old snapshot {stem}")
