"""Results files: what a model says about the videos of a split, written, read and fused.

A file is JSON: ``{"classes": ["Archery", …], "videos": [{"name": "Archery/v_Archery_g01_c01",
"label": 0, "probabilities": [0.9, …]}, …]}``. Labels count from 0.
"""
from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError
from ...files import new_file
from ...language.text_files import brief, read_json
from .windows import fuse

_FORM = '{"classes": ["..."], "videos": [{"name": "...", "label": 0, "probabilities": [...]}]}'
_SUM = 0.01  # by which probabilities that were rounded or averaged may miss 1


@dataclass(frozen=True)
class Results:
    """What a model says about videos.

    Args:
        path: the file they came from, for messages.
        classes: their names.
        names: of the N videos, each once.
        labels: (N,) their true classes, from 0.
        probabilities: (N, classes), rows sum to 1.
    """

    path: str
    classes: list[str]
    names: list[str]
    labels: np.ndarray
    probabilities: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        """(N,) the most probable class of each video."""
        return self.probabilities.argmax(axis=1)

    def in_order_of(self, other: Results) -> Results:
        """Return the same results in the order of the videos of ``other``.

        Raises:
            DataError: other classes, videos or labels.
        """
        if self.classes != other.classes:
            raise DataError("the results have other classes than those of " + other.path,
                            where=self.path, got=_first_other(self.classes, other.classes))
        places = {name: place for place, name in enumerate(self.names)}
        if lost := [name for name in other.names if name not in places]:
            raise DataError(f"videos of {other.path} are missing from these results",
                            where=self.path, got=f"no {brief(lost[0])}, {len(lost)} in all")
        if len(self.names) != len(other.names):
            extra = min(set(self.names) - set(other.names))
            raise DataError(f"the results have videos that {other.path} does not have",
                            where=self.path, got=brief(extra))
        order = [places[name] for name in other.names]
        found = Results(self.path, self.classes, other.names, self.labels[order],
                        self.probabilities[order])
        if len(wrong := np.flatnonzero(found.labels != other.labels)):
            raise DataError(f"a video has another label than in {other.path}", where=self.path,
                            got=f"{found.labels[wrong[0]]} for {brief(other.names[wrong[0]])}",
                            wanted=other.labels[wrong[0]])
        return found


def _first_other(own: Sequence[str], wanted: Sequence[str]) -> str:
    for label, (one, other) in enumerate(zip(own, wanted, strict=False)):
        if one != other:
            return f"class {label} is {brief(one)}, there {brief(other)}"
    return f"{len(own)} classes, there {len(wanted)}"


def fused(results: Sequence[Results], weights: Sequence[float]) -> Results:
    """Return what several nets say together about the same videos.

    Args:
        results: of each net.
        weights: of each net.

    Raises:
        DataError: other classes, videos or labels.
        UsageError: weights that do not fit.
    """
    first, *others = results
    aligned = [first, *(other.in_order_of(first) for other in others)]
    return Results(" + ".join(net.path for net in results), first.classes, first.names,
                   first.labels, fuse([net.probabilities for net in aligned], weights))


def write_results(path: str | os.PathLike[str], results: Results) -> None:
    """Write a results file.

    Raises:
        DataError: it cannot be written.
    """
    videos = [{"name": name, "label": int(label),
               "probabilities": [round(float(value), 8) for value in row]}
              for name, label, row in zip(results.names, results.labels, results.probabilities,
                                          strict=True)]
    with new_file(path, DataError, "the results") as file:
        file.write(json.dumps({"classes": results.classes, "videos": videos}) + "\n")


def read_results(path: str | os.PathLike[str]) -> Results:
    """Read a results file.

    Raises:
        DataError: it cannot be read; or a video is there twice, has no label, or has no
            probability for each class.
    """
    content = read_json(Path(path), "results", _FORM)
    classes = content.get("classes") if isinstance(content, dict) else None
    videos = content.get("videos") if isinstance(content, dict) else None
    if not isinstance(classes, list) or not isinstance(videos, list) or not classes or not videos:
        raise DataError("these are not results of videos", where=path, got=brief(content),
                        wanted=_FORM)
    if not all(isinstance(name, str) for name in classes) or len(set(classes)) < len(classes):
        raise DataError("the classes are not names that differ", where=path, got=brief(classes))
    names: dict[str, None] = {}
    for video in videos:
        _check_video(video, names, len(classes), path)
        names[video["name"]] = None
    return Results(str(path), classes, list(names),
                   np.array([video["label"] for video in videos], np.int64),
                   np.array([video["probabilities"] for video in videos], np.float64))


def _check_video(video: Any, known: dict[str, None], classes: int,
                 path: str | os.PathLike[str]) -> None:
    if not isinstance(video, dict) or not isinstance(video.get("name"), str):
        raise DataError("a video has no name", where=path, got=brief(video), wanted=_FORM)
    name, label, values = brief(video["name"]), video.get("label"), video.get("probabilities")
    if video["name"] in known:
        raise DataError("a video is there twice", where=path, got=name)
    if type(label) is not int or not 0 <= label < classes:
        raise DataError(f"video {name} has no label that is one of the classes", where=path,
                        got=brief(label), wanted=f"0 to {classes - 1}")
    if (not isinstance(values, list) or len(values) != classes
            or not all(type(value) in (int, float) and 0 <= value <= 1 + _SUM for value in values)
            or abs(sum(values) - 1) > _SUM):
        raise DataError(f"video {name} has no probability for each class", where=path,
                        got=brief(values), wanted=f"{classes} numbers from 0 on that sum to 1")
