"""Draw a picture with Pillow."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .layout import Curve, Point
from .picture import FONT_SIZE, Picture, font

if TYPE_CHECKING:
    from PIL import Image

_STEPS = 12  # straight pieces of a curve
_HEAD = (8.0, 3.0)  # length and half width of an arrow's head
_SCALE = 2  # pixels for a unit of the layout
_LIMIT = 120_000_000  # pixels; larger drawings get one for a unit


def as_image(picture: Picture) -> Image.Image:
    """Return a picture as a Pillow image, in twice the resolution that SVG viewers show."""
    from PIL import Image, ImageDraw
    large = picture.width * picture.height * _SCALE**2 > _LIMIT
    scale = 1 if large else _SCALE
    image = Image.new("RGB", (picture.width * scale, picture.height * scale), "white")
    draw = ImageDraw.Draw(image)

    def scaled(points: list[Point]) -> list[Point]:
        return [(x * scale, y * scale) for x, y in points]

    for route in picture.routes:
        points = [point for curve in route for point in _sampled(curve)]
        draw.line(scaled(points), fill="black", width=scale, joint="curve")
        draw.polygon(scaled(_head(points)), fill="black")
    for box in picture.boxes:
        draw.polygon(scaled(list(box.corners)), fill=box.color, outline="black", width=scale)
    for text in picture.texts:
        size = (FONT_SIZE - 2 if text.small else FONT_SIZE) * scale
        draw.text(scaled([text.at])[0], text.text, fill="black", font=font(size),
                  anchor="mm" if text.centred else "lm",
                  stroke_width=2 * scale if text.small else 0, stroke_fill="white")
    return image


def _sampled(curve: Curve) -> list[Point]:
    start, inner, outer, end = curve
    if inner == start and outer == end:
        return [start, end]
    points = []
    for step in range(_STEPS + 1):
        t = step / _STEPS
        a, b, c, d = (1 - t)**3, 3 * t * (1 - t)**2, 3 * t * t * (1 - t), t**3
        points.append((a * start[0] + b * inner[0] + c * outer[0] + d * end[0],
                       a * start[1] + b * inner[1] + c * outer[1] + d * end[1]))
    return points


def _head(points: list[Point]) -> list[Point]:
    """Return the triangle at the end of a line."""
    tip = points[-1]
    before = next((point for point in reversed(points) if math.dist(point, tip) > 1), points[0])
    length = math.dist(before, tip) or 1.0
    along = ((tip[0] - before[0]) / length, (tip[1] - before[1]) / length)
    base = (tip[0] - _HEAD[0] * along[0], tip[1] - _HEAD[0] * along[1])
    return [tip, (base[0] - _HEAD[1] * along[1], base[1] + _HEAD[1] * along[0]),
            (base[0] + _HEAD[1] * along[1], base[1] - _HEAD[1] * along[0])]
