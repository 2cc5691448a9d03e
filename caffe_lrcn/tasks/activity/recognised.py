"""What is recognised, as text, JSON and CSV; and the journal with which a long run goes on."""
from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import DataError
from ...files import new_file, writing
from ...printable import printable
from .ensemble import Recognised

_NAME = 24      # columns that the names of classes take at most
_SHORTEST = 10  # of bars; a narrower terminal gets none
_DIGITS = 8
_UNFINISHED = ".unfinished"


def top_classes(probabilities: np.ndarray, top: int) -> list[int]:
    """Return the numbers of the most probable classes, best first."""
    return [int(number) for number in np.argsort(-probabilities, kind="stable")[:top]]


def bars(probabilities: np.ndarray, classes: Sequence[str], top: int, width: int,
         full: str = "█") -> list[str]:
    """Return a line for each of the most probable classes: name, percentage, bar.

    Args:
        probabilities: (classes,).
        classes: their names.
        top: how many lines.
        width: columns of the terminal.
        full: what bars are made of.
    """
    best = top_classes(probabilities, top)
    names = [_fitting(printable(classes[number])) for number in best]
    column = max(map(len, names))
    room = width - column - 12
    lines = []
    for name, number in zip(names, best, strict=True):
        share = float(probabilities[number])
        bar = full * round(share * room) if room >= _SHORTEST else ""
        lines.append(f"  {name:{column}} {share:7.1%} {bar}".rstrip())
    return lines


def headline(found: Recognised) -> str:
    """Return what is above the bars: the video, and how long it is."""
    length = len(found.over_time) + found.first - 1
    parts = [f"{length} frame{'' if length == 1 else 's'}"]
    if found.rate:
        parts.append(f"{length / found.rate:.1f} s")
    return f"{printable(found.video.name)} ({', '.join(parts)})"


def _fitting(name: str) -> str:
    return name if len(name) <= _NAME else name[:_NAME - 1] + "…"


def entry(found: Recognised) -> dict[str, Any]:
    """Return what JSON says about a video."""
    video = found.video
    said: dict[str, Any] = {"name": video.name}
    if video.label is not None:
        said["label"] = video.label
    said |= {"frames": len(found.over_time) + found.first - 1, "rate": found.rate,
             "probabilities": [round(float(value), _DIGITS) for value in found.average]}
    return said | ({"problem": found.problem} if found.problem else {})


def write_json(path: str | os.PathLike[str], classes: Sequence[str],
               entries: Iterable[Mapping[str, Any]]) -> None:
    """Write a results file, as ``evaluate-activity`` reads it if every video has its label.

    Raises:
        DataError: it cannot be written.
    """
    lines = ",\n".join(json.dumps(one) for one in entries)
    with new_file(path, DataError, "the results") as file:
        file.write(f'{{"classes": {json.dumps(list(classes))},\n"videos": [\n{lines}\n]}}\n')


def write_csv(path: str | os.PathLike[str], classes: Sequence[str],
              videos: Iterable[Recognised]) -> None:
    """Write a line for each frame: video, number of the frame from 1, seconds, probabilities.

    Raises:
        DataError: it cannot be written.
    """
    with new_file(path, DataError, "the table", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["video", "frame", "seconds", *classes])
        for found in videos:
            for number, row in enumerate(found.over_time, start=found.first):
                seconds = f"{(number - 1) / found.rate:.3f}" if found.rate else ""
                writer.writerow([found.video.name, number, seconds,
                                 *(f"{value:.6f}" for value in row)])


class Journal:
    """Videos that are done, beside the results file to be; a run that was stopped goes on there.

    A context manager, which leaves the journal for the next run unless the results are there.

    Args:
        path: of the results file.
        settings: what decides the results.

    Attributes:
        done: entries of the videos that an earlier run has done, by name.
        changed: an earlier run had other settings, so that what it has done does not count.

    Raises:
        DataError: the journal cannot be read or written.
    """

    def __init__(self, path: str | os.PathLike[str], settings: Mapping[str, Any]) -> None:
        self.path = os.fspath(path) + _UNFINISHED
        self.done: dict[str, dict[str, Any]] = {}
        self._settings = json.loads(json.dumps(settings))
        lines = self._read()
        self.changed = bool(lines) and lines[0] != self._settings
        if lines and not self.changed:
            self.done = {one["name"]: one for one in lines[1:]}
        with new_file(self.path, DataError, "what is done") as file:  # without half a line
            file.writelines(json.dumps(line) + "\n"
                            for line in (self._settings, *self.done.values()))
        with writing(self.path, DataError, "what is done"):
            self._file = open(self.path, "a", encoding="utf-8")  # noqa: SIM115

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, said: Mapping[str, Any]) -> None:
        """Note that a video is done.

        Raises:
            DataError: it cannot be written.
        """
        with writing(self.path, DataError, "what is done"):
            self._file.write(json.dumps(said) + "\n")
            self._file.flush()

    def finish(self) -> None:
        """Remove the journal: the results file is there."""
        self._file.close()
        os.remove(self.path)

    def _read(self) -> list[Any]:
        """Return the whole lines of the journal; the last one may have been cut off."""
        try:
            with open(self.path, encoding="utf-8") as file:
                text = file.read()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise DataError("what an earlier run has done cannot be read", where=self.path,
                            got=error, remedy="Remove the file to begin anew.") from None
        lines = []
        for line in text.split("\n")[:-1]:
            try:
                lines.append(json.loads(line))
            except ValueError:
                break
        sound = all(isinstance(one, dict) and isinstance(one.get("name"), str)
                    for one in lines[1:])
        if not sound:
            raise DataError("what an earlier run has done is damaged", where=self.path,
                            remedy="Remove the file to begin anew.")
        return lines
