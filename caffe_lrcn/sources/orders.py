"""In which order the units of a source come: a cursor stands for a place in an endless sequence.

A unit is a record, or a group of records. A cursor is a few integers, and its form belongs to the
order. Each unit has random draws of its own, named by its place in the sequence.
"""
from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from .base import Cursor, Random

_KEPT = 4


@dataclass(frozen=True)
class Run:
    """Units that follow each other, all within one epoch.

    ``draws(i)`` is the generator of the random draws of the ``i``-th of them.
    """

    numbers: np.ndarray
    draws: Callable[[int], np.random.Generator]


class Permutations:
    """Permutations by key, the last ``_KEPT`` that were used kept (8 bytes an element)."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self._known = lru_cache(maxsize=_KEPT)(
            lambda count, *key: random.generator(*key).permutation(count))

    def get(self, count: int, *key: Hashable) -> np.ndarray:
        """Return the permutation of ``range(count)`` that belongs to ``key``."""
        return self._known(count, *key)


class Order(Protocol):
    """Plain values that can be pickled and sent to a worker."""

    def start(self, random: Random) -> Cursor:
        """Return the cursor of the first unit."""

    def after(self, cursor: Cursor, units: int, count: int | None = None) -> Cursor:
        """Return the cursor ``units`` further; ``count`` units are there, if that is known."""

    def run(self, cursor: Cursor, most: int, count: int | None,
            permutations: Permutations) -> Run:
        """Return at least one and at most ``most`` units from a cursor on."""


@dataclass(frozen=True)
class Epochs:
    """All units over and over, shuffled anew in each epoch or not.

    Cursor ``{"record": k}``: unit ``k % count`` of epoch ``k // count``.

    Args:
        count: how many units there are.
        shuffle: permute all of them.
        files: how many units each file has; given, a shuffle permutes the files and the units
            inside each, so that a batch touches one file, or two at a border.
        rand_skip: start at a random unit below this.
    """

    count: int
    shuffle: bool = False
    files: tuple[int, ...] = ()
    rand_skip: int = 0

    def start(self, random: Random) -> Cursor:
        """Return the cursor of the first unit, ``rand_skip`` respected."""
        if not self.rand_skip:
            return {"record": 0}
        return {"record": int(random.generator("rand_skip").integers(self.rand_skip))}

    def after(self, cursor: Cursor, units: int, count: int | None = None) -> Cursor:
        """Return the cursor ``units`` further."""
        return {"record": cursor["record"] + units}

    def run(self, cursor: Cursor, most: int, count: int | None,
            permutations: Permutations) -> Run:
        """Return units up to the end of the epoch, or of a file."""
        record = cursor["record"]
        epoch, first = divmod(record, self.count)
        return Run(self._numbers(epoch, first, most, permutations),
                   lambda index: permutations.random.generator("record", record + index))

    def _numbers(self, epoch: int, first: int, most: int,
                 permutations: Permutations) -> np.ndarray:
        if not self.shuffle:
            return np.arange(first, min(first + most, self.count))
        if not self.files:
            return permutations.get(self.count, "shuffle", epoch)[first:first + most]
        counts = np.array(self.files)
        order = permutations.get(len(counts), "files", epoch)
        ends = np.cumsum(counts[order])
        place = int(np.searchsorted(ends, first, side="right"))
        file = int(order[place])
        row = first - int(ends[place] - counts[file])
        rows = permutations.get(self.files[file], "rows", epoch, file)[row:row + most]
        return int(counts[:file].sum()) + rows


@dataclass(frozen=True)
class Rounds:
    """All units over and over, where their number may be unknown until the end is met.

    Cursor ``{"record": k, "epoch": e}``; one past the last unit goes on in the next epoch.

    Args:
        count: how many units there are, if that is known beforehand.
    """

    count: int | None = None

    def start(self, random: Random) -> Cursor:
        """Return the cursor of the first unit."""
        return {"record": 0, "epoch": 0}

    def after(self, cursor: Cursor, units: int, count: int | None = None) -> Cursor:
        """Return the cursor ``units`` further; inside the data, if their number is known."""
        record, epoch, count = cursor["record"] + units, cursor["epoch"], count or self.count
        if count:
            epoch, record = epoch + record // count, record % count
        return {"record": record, "epoch": epoch}

    def run(self, cursor: Cursor, most: int, count: int | None,
            permutations: Permutations) -> Run:
        """Return units up to the end of the round, or beyond it where the end is unknown."""
        here = self.after(cursor, 0, count)
        record, epoch, count = here["record"], here["epoch"], count or self.count
        last = min(record + most, count) if count else record + most
        return Run(np.arange(record, last),
                   lambda index: permutations.random.generator("record", epoch, record + index))


@dataclass(frozen=True)
class Drawn:
    """Each batch draws its units with replacement: background first, then foreground.

    Cursor ``{"batch": k}``. Numbers of foreground units come after those of the background.

    Args:
        counts: how many background and foreground units there are.
        wanted: how many of each a batch has.
    """

    counts: tuple[int, int]
    wanted: tuple[int, int]

    def start(self, random: Random) -> Cursor:
        """Return the cursor of the first batch."""
        return {"batch": 0}

    def after(self, cursor: Cursor, units: int, count: int | None = None) -> Cursor:
        """Return the cursor ``units`` further, a multiple of the batch."""
        return {"batch": cursor["batch"] + units // sum(self.wanted)}

    def run(self, cursor: Cursor, most: int, count: int | None,
            permutations: Permutations) -> Run:
        """Return a whole batch."""
        def draw(item: int) -> tuple[int, np.random.Generator]:
            rng = permutations.random.generator("window", cursor["batch"], item)
            foreground = item >= self.wanted[0]
            number = int(rng.integers(self.counts[foreground]))
            return number + self.counts[0] * foreground, rng

        numbers = [draw(item)[0] for item in range(sum(self.wanted))]
        return Run(np.array(numbers), lambda index: draw(index)[1])


@dataclass(frozen=True)
class OneEach:
    """Videos over and over, and one clip of each: a unit is a clip.

    Cursor ``{"record": k}``: a clip of video ``k % videos`` in epoch ``k // videos``. Numbers of
    clips are those of the first video, then those of the second, and so on.

    Args:
        clips: how many clips each video has.
        drawn: draw the clip; else take the middle one.
        shuffle: permute the videos anew in each epoch.
        rand_skip: start at a random video below this.
    """

    clips: tuple[int, ...]
    drawn: bool
    shuffle: bool = False
    rand_skip: int = 0

    def start(self, random: Random) -> Cursor:
        """Return the cursor of the first unit, ``rand_skip`` respected."""
        return self._videos.start(random)

    def after(self, cursor: Cursor, units: int, count: int | None = None) -> Cursor:
        """Return the cursor ``units`` further."""
        return self._videos.after(cursor, units)

    def run(self, cursor: Cursor, most: int, count: int | None,
            permutations: Permutations) -> Run:
        """Return clips of the videos up to the end of the epoch."""
        run = self._videos.run(cursor, most, None, permutations)
        clips = np.array(self.clips)
        before = np.cumsum(clips) - clips
        return Run(np.array([before[video] + self._pick(cursor["record"] + index, clips[video],
                                                        permutations.random)
                             for index, video in enumerate(run.numbers)]), run.draws)

    @property
    def _videos(self) -> Epochs:
        return Epochs(len(self.clips), self.shuffle, rand_skip=self.rand_skip)

    def _pick(self, record: int, clips: int, random: Random) -> int:
        """Return which clip of a video comes; the draw is another than those of its pictures."""
        if not self.drawn:
            return int(clips - 1) // 2
        return int(random.generator("clip", record).integers(clips))
