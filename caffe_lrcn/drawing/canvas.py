"""What graphs and charts are drawn on: shapes in drawing order, which SVG and PNG show alike."""
from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

Point = tuple[float, float]
Curve = tuple[Point, Point, Point, Point]


@dataclass(frozen=True)
class Line:
    """Straight pieces from point to point."""

    points: list[Point]
    color: str
    width: int = 1


@dataclass(frozen=True)
class Arrow:
    """Cubic curves, one after the other, with a head at the end.

    A curve whose inner points lie on its ends is a straight line.
    """

    route: list[Curve]


@dataclass(frozen=True)
class Box:
    """A filled shape with an outline: a rectangle, or an octagon; corners in order."""

    corners: tuple[Point, ...]
    color: str
    outline: str = "black"


@dataclass(frozen=True)
class Text:
    """A line of text.

    Args:
        at: its left end, middle or right end, as ``anchor`` (start, middle, end) says; in the
            other direction always its middle.
        size: of the font, in units.
        halo: a white edge, to be readable over lines.
        upright: turned to the left.
    """

    at: Point
    text: str
    size: int
    anchor: str = "middle"
    bold: bool = False
    halo: bool = False
    upright: bool = False
    color: str = "black"


Shape = Line | Arrow | Box | Text


@dataclass
class Canvas:
    """A white page of ``width`` x ``height`` units.

    ``scale`` is how many pixels a unit has in a PNG.
    """

    width: int
    height: int
    scale: int = 1
    title: str = ""
    shapes: list[Shape] = field(default_factory=list)


@cache
def font(size: int) -> Any:
    """Return the font that comes with Pillow."""
    from PIL import ImageFont
    return ImageFont.load_default(size)
