"""What a picture shows: one thing, or two and how they stand to each other."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHAPES = ("circle", "square", "triangle", "cross")
COLOURS = ("red", "green", "blue", "yellow", "purple", "white")
SIZES = ("small", "large")
#: Where the first thing of a scene stands, seen from the second.
RELATIONS = ("left", "right", "above", "below")
OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}


def _held_out() -> frozenset[tuple[str, str, str]]:
    """Return eight combinations: every shape and every relation is in two of them."""
    return frozenset((SHAPES[k % 4], COLOURS[k % 6], RELATIONS[(k + k // 4) % 4])
                     for k in range(8))


#: (shape, colour, relation) of things that only the "unseen" test pictures show.
HELD_OUT = _held_out()


@dataclass(frozen=True)
class Thing:
    """A thing in a picture: one of ``SHAPES``, of ``COLOURS`` and of ``SIZES``."""

    shape: str
    colour: str
    size: str


@dataclass(frozen=True)
class Scene:
    """One thing; or two things, and the relation of the first to the second.

    Args:
        things: one or two; two differ in shape and in colour.
        relation: one of ``RELATIONS``; None for one thing.
    """

    things: tuple[Thing, ...]
    relation: str | None = None

    def placed(self) -> list[tuple[Thing, str | None]]:
        """Return each thing with its own relation to the other one."""
        if self.relation is None:
            return [(self.things[0], None)]
        return list(zip(self.things, (self.relation, OPPOSITE[self.relation]), strict=True))

    @property
    def unseen(self) -> bool:
        """Whether a thing stands as training never shows it."""
        return any((thing.shape, thing.colour, relation) in HELD_OUT
                   for thing, relation in self.placed())


def random_scene(random: np.random.Generator, things: int, unseen: bool) -> Scene:
    """Return a random scene.

    Which of two things comes first says nothing about where they stand.

    Args:
        random: the source of randomness.
        things: 1 or 2.
        unseen: with (True) or without (False) a held-out combination; one thing has none.
    """
    while True:
        shapes = random.permutation(SHAPES)[:things]
        colours = random.permutation(COLOURS)[:things]
        scene = Scene(
            tuple(Thing(str(shape), str(colour), str(random.choice(SIZES)))
                  for shape, colour in zip(shapes, colours, strict=True)),
            str(random.choice(RELATIONS)) if things == 2 else None)
        if scene.unseen == unseen or things == 1:
            return scene
