"""The classes: how the things of a clip move.

Lengths are in sides of the frame, x to the right and y downwards. Where a path lies is random, and
so are speeds, so that a single frame tells little. The members of ``ORDER_PAIRS`` are made of the
same steps in the other order: one frame's flow does not tell them apart either.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: How far a thing reaches from its centre, before growing.
RADII = (0.13, 0.19)
#: Part of a thing that may leave the frame, as a share of its radius.
_OUTSIDE = 0.25
#: How far the turning point may lie from the middle, as a share of the clip.
_OFF_MIDDLE = 1 / 12
_SMALLEST, _LARGEST = 0.6, 1.5


@dataclass(frozen=True)
class Track:
    """How one thing moves over the T frames of a clip.

    Args:
        radius: how far it reaches from its centre, before growing, in sides.
        places: (T, 2) x and y of its centre, in sides.
        growth: (T,) factors of the radius.
        turns: (T,) radians, clockwise.
        visible: (T,) whether it is there.
    """

    radius: float
    places: np.ndarray
    growth: np.ndarray
    turns: np.ndarray
    visible: np.ndarray


def make_tracks(name: str, frames: int, random: np.random.Generator) -> list[Track]:
    """Return how the things of a clip move: one of them, or two for ``Meet``.

    Args:
        name: the class, one of ``CLASSES``.
        frames: length of the clip, 4 or more.
        random: decides about sizes, places, speeds and directions.
    """
    return _MOTIONS[name](frames, random)


Motion = Callable[[int, np.random.Generator], list[Track]]


def _moving(*direction: float) -> Motion:
    """One way, evenly."""
    def motion(frames: int, random: np.random.Generator) -> list[Track]:
        length = random.uniform(0.4, 0.65)
        steps = np.full((frames - 1, 2), length / (frames - 1)) * direction
        return [_track(frames, random, steps=steps)]
    return motion


def _there_and_back(*direction: float) -> Motion:
    """One way, then back."""
    def motion(frames: int, random: np.random.Generator) -> list[Track]:
        length = random.uniform(0.24, 0.38)  # as fast as those that move one way
        signs = np.where(_first_part(frames, random), 1.0, -1.0)
        steps = signs[:, None] * direction * (2 * length / (frames - 1))
        return [_track(frames, random, steps=steps)]
    return motion


def _two_speeds(fast_first: bool) -> Motion:
    """Along a diagonal, at a speed and at a quarter of it."""
    def motion(frames: int, random: np.random.Generator) -> list[Track]:
        fast = _first_part(frames, random) == fast_first
        speed = random.uniform(0.3, 0.4) * 2 / (frames - 1)
        steps = np.where(fast, speed, speed / 4)[:, None] * random.choice([-1.0, 1.0], 2)
        return [_track(frames, random, steps=steps)]
    return motion


def _resizing(grows_first: bool) -> Motion:
    def motion(frames: int, random: np.random.Generator) -> list[Track]:
        growing = _first_part(frames, random) == grows_first
        share = random.uniform(0.8, 1.0)
        logs = np.concatenate([[0.0], np.cumsum(np.where(growing, 1.0, -1.0))])
        logs -= (logs.max() + logs.min()) / 2
        middle = math.log(_SMALLEST * _LARGEST) / 2
        reach = share * math.log(_LARGEST / _SMALLEST) / 2
        return [_track(frames, random, growth=np.exp(middle + logs / logs.max() * reach))]
    return motion


def _turning(sense: float) -> Motion:
    def motion(frames: int, random: np.random.Generator) -> list[Track]:
        angle = sense * math.radians(random.uniform(200, 330))
        return [_track(frames, random, turns=np.linspace(0, angle, frames))]
    return motion


def _blinking(frames: int, random: np.random.Generator) -> list[Track]:
    shown, hidden = random.integers(2, 5, 2)
    phase = np.arange(frames) + random.integers(shown + hidden)
    return [_track(frames, random, visible=phase % (shown + hidden) < shown)]


def _meeting(frames: int, random: np.random.Generator) -> list[Track]:
    """Two things come together on a line, to touch in its middle."""
    angle = random.uniform(0, 2 * math.pi)
    radii = random.uniform(RADII[0], sum(RADII) / 2, 2)
    apart = np.linspace(random.uniform(0.6, 0.7), 0.8 * radii.sum(), frames) / 2
    line = apart[:, None] * [math.cos(angle), math.sin(angle)]
    low, high = 0.3, 0.7  # of the middle; the things stay in the frame for the most part
    middle = random.uniform(low, high, 2)
    still = np.ones(frames)
    return [Track(radius, middle + side * line, still, _turned(frames, random), still > 0)
            for side, radius in zip((1, -1), radii, strict=True)]


_LEFT, _RIGHT, _UP, _DOWN = (-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)
_MOTIONS: dict[str, Motion] = {
    "Blink": _blinking,
    "DownThenUp": _there_and_back(*_DOWN),
    "FastThenSlow": _two_speeds(True),
    "GrowThenShrink": _resizing(True),
    "LeftThenRight": _there_and_back(*_LEFT),
    "Meet": _meeting,
    "MoveDown": _moving(*_DOWN),
    "MoveLeft": _moving(*_LEFT),
    "MoveRight": _moving(*_RIGHT),
    "MoveUp": _moving(*_UP),
    "RightThenLeft": _there_and_back(*_RIGHT),
    "ShrinkThenGrow": _resizing(False),
    "SlowThenFast": _two_speeds(False),
    "TurnAnticlockwise": _turning(-1.0),
    "TurnClockwise": _turning(1.0),
    "UpThenDown": _there_and_back(*_UP),
}
#: Names of the classes; a label is a place in this list.
CLASSES = tuple(_MOTIONS)
#: Classes that only the order of two motions tells apart.
ORDER_PAIRS = (("LeftThenRight", "RightThenLeft"), ("UpThenDown", "DownThenUp"),
               ("GrowThenShrink", "ShrinkThenGrow"), ("FastThenSlow", "SlowThenFast"))


def _first_part(frames: int, random: np.random.Generator) -> np.ndarray:
    """Return which of the (T - 1,) steps come before a turning point near the middle."""
    turn = frames * (0.5 + random.uniform(-_OFF_MIDDLE, _OFF_MIDDLE))
    return np.arange(1, frames) < turn


def _turned(frames: int, random: np.random.Generator) -> np.ndarray:
    return np.full(frames, random.uniform(0, 2 * math.pi))


def _track(frames: int, random: np.random.Generator, steps: np.ndarray | None = None,
           growth: np.ndarray | None = None, turns: np.ndarray | None = None,
           visible: np.ndarray | None = None) -> Track:
    """Return a track with these (T - 1, 2) steps, somewhere in the frame."""
    radius = random.uniform(*RADII)
    growth = np.ones(frames) if growth is None else growth
    path = np.zeros((frames, 2))
    if steps is not None:
        path[1:] = np.cumsum(steps, axis=0)
    path -= (path.max(axis=0) + path.min(axis=0)) / 2
    margin = (1 - _OUTSIDE) * radius * growth.max() + path.max(axis=0)
    places = path + random.uniform(np.minimum(margin, 0.5), np.maximum(1 - margin, 0.5))
    return Track(radius, places, growth,
                 _turned(frames, random) + (0 if turns is None else turns),
                 np.ones(frames, bool) if visible is None else visible)
