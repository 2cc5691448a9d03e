"""Lists of videos and their classes in our form, and how they are divided.

A line is ``<name> <label>``: the name is the video's path below the folder of its data set without
its suffix (``Archery/v_Archery_g01_c01``), the label counts from 0.

Source: paper, section 4.1, for the division by groups.
"""
from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import DataError
from ...files import new_file
from ...rng import generator
from ...sources.video_file import SUFFIXES

_UCF_GROUP = re.compile(r"_(g\d+)_c\d+$", re.ASCII)


@dataclass(frozen=True)
class Video:
    """A video by its name in a list, and its class, from 0."""

    name: str
    label: int


#: The parts of a split by name: ``train`` and ``test``.
Split = dict[str, list[Video]]


@dataclass(frozen=True)
class DataSet:
    """The classes of a data set, and its splits by their numbers."""

    kind: str
    classes: list[str]
    splits: dict[int, Split]


def divide(videos: Sequence[Video], fraction: float, seed: int
           ) -> tuple[list[Video], list[Video]]:
    """Divide videos so that those of a group stay together; return (the rest, the share).

    Each class gives the groups, drawn at random, that bring it nearest to the share. All clips of
    a group come from one film, so a division by clips would test on what was trained on.

    Args:
        videos: of a training list; their order is kept.
        fraction: the share wanted, between 0 and 1: 1/3 is the paper's.
        seed: of the drawing.

    Source: paper, section 4.1.
    """
    groups: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for video in videos:
        groups[video.label][group_of(video.name)] += 1
    chosen: set[tuple[int, str]] = set()
    for label, sizes in sorted(groups.items()):
        wanted, taken = fraction * sum(sizes.values()), 0
        names = sorted(sizes)
        for index in generator(seed, "division", label).permutation(len(names)):
            group = names[index]
            if abs(taken + sizes[group] - wanted) < abs(taken - wanted) and len(names) > 1:
                chosen.add((label, group))
                taken += sizes[group]
    share = [(video.label, group_of(video.name)) in chosen for video in videos]
    return ([video for video, inside in zip(videos, share, strict=True) if not inside],
            [video for video, inside in zip(videos, share, strict=True) if inside])


def group_of(name: str) -> str:
    """Return what the clips of one film have in common.

    Of ``v_Archery_g01_c02`` that is ``g01``, of HMDB51's ``<film>_<class>_<body>_…`` the film;
    another name is a group of its own.

    Args:
        name: of a video, ``<class>/<stem>``.
    """
    folder, _, _ = name.partition("/")
    stem = _stem(name)
    if match := _UCF_GROUP.search(stem):
        return match[1]
    film, found, _ = stem.rpartition(f"_{folder}_")
    return film if found else stem


def shuffled(videos: Sequence[Video], seed: int) -> list[Video]:
    """Return the videos in an order that the seed decides."""
    return [videos[index] for index in generator(seed, "list").permutation(len(videos))]


def missing(videos: Iterable[Video], root: Path) -> list[Video]:
    """Return the videos that are neither folders of frames nor video files below ``root``.

    Each is looked for under its name and then without its class folder.
    """
    return [video for video in videos if not any(
        (root / name).is_dir() or any((root / (name + suffix)).is_file() for suffix in SUFFIXES)
        for name in dict.fromkeys((video.name, _stem(video.name))))]


def write_list(path: Path, videos: Iterable[Video]) -> None:
    """Write a list: ``<name> <label>`` per line.

    Raises:
        DataError: it cannot be written.
    """
    with new_file(path, DataError, "the list") as file:
        file.writelines(f"{video.name} {video.label}\n" for video in videos)


def write_classes(path: Path, classes: Iterable[str]) -> None:
    """Write the names of the classes, one per line, the one of label 0 first.

    Raises:
        DataError: the file cannot be written.
    """
    with new_file(path, DataError, "the classes") as file:
        file.writelines(f"{name}\n" for name in classes)


def without_suffix(name: str) -> str:
    """Return a video's name without the suffix of a video file."""
    suffix = Path(name).suffix
    return name[:-len(suffix)] if suffix.lower() in SUFFIXES else name


def _stem(name: str) -> str:
    return name.rpartition("/")[2]
