"""What things, tools, places and sources look like: polygons and colours.

Lengths are in units of the thing: it reaches about 1 from its middle, x to the right and y
downwards. A tool's middle is its working end, and its handle points upwards.
"""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Colour = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Part:
    """A polygon of one colour."""

    colour: Colour
    corners: Sequence[Point]


def _round(width: float, height: float, x: float = 0, y: float = 0) -> list[Point]:
    return [(x + width * math.cos(k * math.pi / 12), y + height * math.sin(k * math.pi / 12))
            for k in range(24)]


def _box(left: float, top: float, right: float, bottom: float) -> list[Point]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


_STEEL, _WOOD, _WHITE, _GREEN = (175, 180, 190), (150, 100, 55), (235, 235, 230), (60, 140, 60)
SKIN: Colour = (225, 170, 140)
WATER: Colour = (90, 150, 225)

THINGS: dict[str, tuple[Part, ...]] = {
    "carrot": (Part((235, 125, 40), [(-1, -0.28), (0.55, -0.12), (1, 0), (0.55, 0.12), (-1, 0.28)]),
               Part(_GREEN, [(-1, -0.1), (-1.35, -0.3), (-1.25, 0), (-1.35, 0.3), (-1, 0.1)])),
    "cucumber": (Part(_GREEN, _round(1.1, 0.27)), Part((95, 170, 85), _round(0.8, 0.07))),
    "potato": (Part((185, 150, 95), _round(0.75, 0.55)), Part((140, 110, 65), _round(
        0.08, 0.08, 0.25, -0.15)), Part((140, 110, 65), _round(0.08, 0.08, -0.3, 0.1))),
    "onion": (Part((165, 75, 120), _round(0.6, 0.6)), Part((205, 150, 180), [
        (-0.12, -0.5), (0, -0.95), (0.12, -0.5)]), Part((205, 150, 180), _round(0.3, 0.5))),
    "egg": (Part((240, 228, 205), _round(0.6, 0.48)), Part((245, 195, 60), _round(0.24, 0.2))),
    "bread": (Part((160, 105, 50), _box(-0.85, -0.5, 0.85, 0.5)),
              Part((225, 190, 130), _box(-0.7, -0.36, 0.7, 0.36))),
    "soup": (Part((220, 150, 60), _round(0.85, 0.7)), Part(_GREEN, _round(0.12, 0.1, 0.3, 0.2)),
             Part(_GREEN, _round(0.12, 0.1, -0.35, -0.2))),
    "sauce": (Part((190, 50, 40), _round(0.85, 0.7)),),
    "water": (Part(WATER, _round(0.85, 0.7)), Part((190, 215, 245), _round(0.3, 0.1, -0.2, -0.3))),
    "milk": (Part((248, 248, 245), _round(0.85, 0.7)),),
}
TOOLS: dict[str, tuple[Part, ...]] = {
    "knife": (Part(_STEEL, [(-0.14, 0.35), (-0.14, -0.95), (0.16, -0.95), (0.16, 0.1)]),
              Part((50, 45, 45), _box(-0.1, -1.75, 0.12, -0.95))),
    "peeler": (Part(_STEEL, _box(-0.3, 0.05, 0.3, 0.2)), Part(_STEEL, [
        (-0.3, 0.1), (-0.08, -0.7), (0.08, -0.7), (0.3, 0.1), (0.2, 0.1), (0, -0.5), (-0.2, 0.1)]),
        Part((60, 60, 130), _box(-0.1, -1.7, 0.1, -0.7))),
    "spoon": (Part(_WOOD, _round(0.27, 0.36)), Part(_WOOD, _box(-0.08, -1.8, 0.08, -0.3))),
    "whisk": (Part(_STEEL, _round(0.3, 0.5)), Part((90, 95, 105), _round(0.18, 0.4)),
              Part(_STEEL, _round(0.07, 0.5)), Part(_STEEL, _box(-0.08, -1.8, 0.08, -0.4))),
    "shaker": (Part(_WHITE, _box(-0.28, -0.9, 0.28, -0.1)),
               Part((90, 90, 95), _box(-0.28, -0.2, 0.28, 0.05))),
    "brush": (Part((240, 215, 120), _box(-0.3, -0.25, 0.3, 0.15)),
              Part((60, 110, 170), _box(-0.32, -0.9, 0.32, -0.25))),
}
# Knives and spoons lie there where they are what something is done to.
for _name in ("knife", "spoon"):
    THINGS[_name] = tuple(Part(part.colour, [(0.75 * (y + 0.7), 0.75 * x) for x, y in part.corners])
                          for part in TOOLS[_name])
LOCATIONS: dict[str, tuple[Part, ...]] = {
    "board": (Part((120, 78, 40), _box(-1.25, -0.75, 1.25, 0.75)),
              Part((190, 140, 85), _box(-1.15, -0.65, 1.15, 0.65))),
    "counter": (),
    "plate": (Part((205, 205, 210), _round(1.15, 0.9)), Part(_WHITE, _round(1.05, 0.8)),
              Part((215, 215, 215), _round(0.75, 0.56))),
    "bowl": (Part((95, 125, 175), _round(1.15, 0.95)), Part((165, 185, 215), _round(0.95, 0.77))),
    "pan": (Part((45, 45, 50), _round(1.1, 0.92)), Part((45, 45, 50), _box(0.9, -0.14, 2.1, 0.14)),
            Part((85, 85, 92), _round(0.95, 0.77))),
    "sink": (Part((120, 125, 130), _box(-1.4, -1, 1.4, 1)), Part((165, 170, 178), _box(
        -1.25, -0.85, 1.25, 0.85)), Part((70, 72, 75), _round(0.13, 0.13, 0.9, 0.55)),
        Part((215, 218, 222), _box(-0.1, -1.4, 0.1, -0.75))),
}
#: Where things are taken from; the first three stand at the left edge, the others are held.
SOURCES: dict[str, tuple[Part, ...]] = {
    "fridge": (Part((225, 230, 235), _box(-1, -1.6, 0.6, 1.6)), Part((130, 135, 140), _box(
        0.3, -0.7, 0.42, 0.7)), Part((150, 155, 160), _box(-1, -0.05, 0.6, 0.05))),
    "cupboard": (Part((145, 105, 70), _box(-1, -1.6, 0.6, 1.6)), Part((70, 50, 35), _box(
        -0.26, -1.6, -0.16, 1.6)), Part((220, 200, 120), _round(0.1, 0.1, 0.1, 0))),
    "drawer": (Part((145, 105, 70), _box(-1, -0.8, 0.6, 0.8)), Part((70, 50, 35), _box(
        -1, -0.55, 0.35, 0.55)), Part((220, 200, 120), _box(0.45, -0.3, 0.55, 0.3))),
    "jug": (Part((200, 215, 225), [(-0.5, -0.6), (0.55, -0.75), (0.45, 0.6), (-0.45, 0.6)]),
            Part((150, 165, 175), _box(-0.75, -0.4, -0.45, 0.3))),
    "bottle": (Part((200, 215, 225), _box(-0.32, -0.25, 0.32, 0.7)),
               Part((200, 215, 225), _box(-0.13, -0.85, 0.13, -0.2)),
               Part((200, 60, 60), _box(-0.15, -0.98, 0.15, -0.82))),
}
