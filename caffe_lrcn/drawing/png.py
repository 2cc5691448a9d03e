"""Draw a canvas with Pillow."""
from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw

from .canvas import Box, Canvas, Curve, Line, Point, Text, font

_STEPS = 12  # straight pieces of a curve
_HEAD = (8.0, 3.0)  # length and half width of an arrow's head
_LIMIT = 120_000_000  # pixels; larger drawings get one for a unit, or are made smaller
_ANCHORS = {"start": "lm", "middle": "mm", "end": "rm"}


def as_image(canvas: Canvas) -> Image.Image:
    """Return a canvas as a Pillow image."""
    scale, area = float(canvas.scale), canvas.width * canvas.height
    if area * scale**2 > _LIMIT:
        scale = min(1.0, math.sqrt(_LIMIT / area))
    size = [max(1, round(length * scale)) for length in (canvas.width, canvas.height)]
    image = Image.new("RGB", (size[0], size[1]), "white")
    draw = ImageDraw.Draw(image)
    for shape in canvas.shapes:
        if isinstance(shape, Text):
            _write(image, draw, shape, scale)
        elif isinstance(shape, Box):
            draw.polygon(_scaled(shape.corners, scale), fill=shape.color, outline=shape.outline,
                         width=_pixels(1, scale))
        elif isinstance(shape, Line):
            _stroke(draw, shape.points, shape.color, _pixels(shape.width, scale), scale)
        else:
            points = [point for curve in shape.route for point in sampled(curve)]
            _stroke(draw, points, "black", _pixels(1, scale), scale)
            draw.polygon(_scaled(_head(points), scale), fill="black")
    return image


def _pixels(units: int, scale: float) -> int:
    return max(1, round(units * scale))


def _scaled(points: Sequence[Point], scale: float) -> list[Point]:
    return [(x * scale, y * scale) for x, y in points]


def _stroke(draw: ImageDraw.ImageDraw, points: Sequence[Point], color: str, width: int,
            scale: float) -> None:
    if len(points) > 1:
        draw.line(_scaled(points, scale), fill=color, width=width, joint="curve")


def _write(image: Image.Image, draw: ImageDraw.ImageDraw, text: Text, scale: float) -> None:
    (x, y), = _scaled([text.at], scale)
    letters = font(_pixels(text.size, scale))
    if not text.upright:
        draw.text((x, y), text.text, fill=text.color, font=letters, anchor=_ANCHORS[text.anchor],
                  stroke_width=_pixels(2, scale) if text.halo else 0, stroke_fill="white")
        return
    length, height = math.ceil(letters.getlength(text.text)), _pixels(2 * text.size, scale)
    mask = Image.new("L", (length, height))
    ImageDraw.Draw(mask).text((length / 2, height / 2), text.text, 255, letters, anchor="mm")
    image.paste(text.color, (round(x - height / 2), round(y - length / 2)),
                mask.rotate(90, expand=True))


def sampled(curve: Curve) -> list[Point]:
    """Return points on a curve, its ends among them."""
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
