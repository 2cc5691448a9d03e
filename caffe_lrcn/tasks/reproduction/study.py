"""Runs of a reproduction, one after the other; what is done is kept and not done again."""
from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import DataError
from ...files import new_file, writing
from ...solver.progress import duration

Report = Callable[[str], None]
_RESULT = "figures.json"


@dataclass(frozen=True)
class Run:
    """One training with one seed, or anything else that gives figures.

    Args:
        name: such as ``lrcn-fc6-flow``; the run's folder is ``OUT/seed-K/NAME``.
        seed: K, from 1.
        made_of: texts that decide the figures, such as definitions and settings. A run whose texts
            have changed is done again.
        work: fills the folder that it is handed and returns the figures by name. It may find what
            an interrupted try left there, made of the same texts.
    """

    name: str
    seed: int
    made_of: tuple[str, ...]
    work: Callable[[Path], Mapping[str, float]]

    @property
    def fingerprint(self) -> str:
        """A digest of what the run is made of."""
        parts = "\0".join((self.name, str(self.seed), *self.made_of))
        return hashlib.sha256(parts.encode()).hexdigest()

    def folder(self, out: Path) -> Path:
        """Return where the run's files are; other texts have another folder."""
        return out / f"seed-{self.seed}" / f"{self.name}-{self.fingerprint[:8]}"


#: Figures by name of each run, by its name and seed.
Figures = Mapping[tuple[str, int], Mapping[str, float]]


def do_runs(runs: Sequence[Run], out: Path, report: Report) -> Figures:
    """Do the runs that are not done yet, in order, and return the figures of all.

    Each is kept when it ends. An exception, also that of Ctrl-C, leaves those before it done.

    Args:
        runs: a run that needs another one's files comes after it.
        out: the folder of the study.
        report: receives a line before each run that is done, with an estimate of the time left.

    Raises:
        DataError: a file cannot be written.
    """
    done = read_runs(runs, out)
    left = [run for run in runs if (run.name, run.seed) not in done]
    if left and done:
        report(f"{len(done)} of {len(runs)} runs are done already")
    seconds = [figures["seconds"] for figures in done.values()]
    for index, run in enumerate(left):
        mean = sum(seconds) / max(1, len(seconds))
        estimate = f", about {duration(mean * (len(left) - index))} left" if seconds else ""
        report(f"run {len(done) + 1} of {len(runs)}: {run.name}, seed {run.seed}{estimate}")
        start, folder = time.monotonic(), run.folder(out)
        with writing(folder, DataError, "the figures"):
            folder.mkdir(parents=True, exist_ok=True)
        figures = {**run.work(folder), "seconds": round(time.monotonic() - start, 1)}
        with new_file(folder / _RESULT, DataError, "the figures of a run") as file:
            file.write(json.dumps({"made_of": run.fingerprint, "figures": figures}) + "\n")
        done[run.name, run.seed] = figures
        seconds.append(figures["seconds"])
    return done


def read_runs(runs: Iterable[Run], out: Path) -> dict[tuple[str, int], dict[str, float]]:
    """Return the figures of the runs that are done and made of the same texts as today."""
    found = {}
    for run in runs:
        content = _read(run.folder(out) / _RESULT)
        if content.get("made_of") == run.fingerprint:
            found[run.name, run.seed] = content["figures"]
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
