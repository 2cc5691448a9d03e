"""A scene as a row of zeros and ones, to pre-train a picture net on."""
from __future__ import annotations

import numpy as np

from .scene import COLOURS, RELATIONS, SHAPES, SIZES, Scene

_PLACES = ("alone", *RELATIONS)
#: Answers about shapes come first, so that a loss can weigh them apart: they are hard to learn.
SHAPE_NAMES = (*SHAPES, *(f"{place}: {shape}" for place in _PLACES for shape in SHAPES))
#: What each number of a row answers: is there a circle? does a circle stand on the left, or
#: something red, or something small? No answer is about a shape and a colour at once: such ones
#: take several times as long to learn, and say nothing about combinations that were never seen.
NAMES = (*SHAPE_NAMES,
         *(f"{place}: {value}" for place in _PLACES for value in (*COLOURS, *SIZES)))
_INDEX = {name: index for index, name in enumerate(NAMES)}


def attributes(scene: Scene) -> np.ndarray:
    """Return which of ``NAMES`` hold of a scene, uint8 of shape (64,)."""
    row = np.zeros(len(NAMES), np.uint8)
    for thing, relation in scene.placed():
        row[_INDEX[thing.shape]] = 1
        for value in (thing.shape, thing.colour, thing.size):
            row[_INDEX[f"{relation or 'alone'}: {value}"]] = 1
    return row
