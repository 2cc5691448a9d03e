"""A scene as a row of zeros and ones, to pre-train a picture net on."""
from __future__ import annotations

import numpy as np

from .scene import COLOURS, RELATIONS, SHAPES, SIZES, Scene

_PAIRS = [f"{colour} {shape}" for shape in SHAPES for colour in COLOURS]
_PLACED = [f"{place}: {value}" for place in ("alone", *RELATIONS)
           for value in (*SHAPES, *COLOURS, *SIZES)]
#: What each number of a row answers: is there a red circle? does something small stand left?
NAMES = (*_PAIRS, *_PLACED)
_INDEX = {name: index for index, name in enumerate(NAMES)}


def attributes(scene: Scene) -> np.ndarray:
    """Return which of ``NAMES`` hold of a scene, uint8 of shape (84,)."""
    row = np.zeros(len(NAMES), np.uint8)
    for thing, relation in scene.placed():
        row[_INDEX[f"{thing.colour} {thing.shape}"]] = 1
        for value in (thing.shape, thing.colour, thing.size):
            row[_INDEX[f"{relation or 'alone'}: {value}"]] = 1
    return row
