"""Line charts, drawn as SVG text or as a picture without a plotting library."""
from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from PIL import Image, ImageDraw, ImageFont

from ..errors import UsageError

SIZE = 900, 600
_LEFT, _RIGHT, _TOP, _BOTTOM = 90, 30, 50, 70
_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2")
_GRID, _INK = "#dddddd", "#222222"
_FONT_SIZE = 14
_TICKS = 6


@dataclass(frozen=True)
class Line:
    """A curve with its name in the legend, if any; points that are not finite are left out."""

    name: str
    points: list[tuple[float, float]]


@dataclass(frozen=True)
class Chart:
    """Curves over one pair of axes; ``size`` is width and height in pixels."""

    title: str
    x_label: str
    y_label: str
    lines: list[Line]
    size: tuple[int, int] = SIZE


@dataclass(frozen=True)
class Stroke:
    """A polyline in pixels."""

    points: list[tuple[float, float]]
    colour: str
    width: int = 1


@dataclass(frozen=True)
class Text:
    """Words at a place in pixels; ``anchor`` is start, middle or end, ``upright`` turns them."""

    x: float
    y: float
    words: str
    anchor: str = "middle"
    upright: bool = False


def save_chart(chart: Chart, path: str) -> None:
    """Write a chart; the name's ending says whether as SVG or as a picture (.png, .jpg, …).

    Raises:
        UsageError: an ending that says nothing, or a file that cannot be written.
    """
    shapes = list(layout(chart))
    try:
        if path.lower().endswith(".svg"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(to_svg(shapes, chart.size))
        else:
            to_picture(shapes, chart.size).save(path)
    except ValueError:
        raise UsageError("the kind of picture is unknown", where=path,
                         remedy="Let the name end in .svg or .png") from None
    except OSError as error:
        raise UsageError("the chart cannot be written", where=path, got=str(error)) from None


def layout(chart: Chart) -> Iterator[Stroke | Text]:
    """Yield grid, axes, curves and words in the order in which they are drawn."""
    width, height = chart.size
    curves = [[point for point in line.points if all(map(math.isfinite, point))]
              for line in chart.lines]
    x_ticks, y_ticks = (ticks([point[axis] for curve in curves for point in curve])
                        for axis in (0, 1))

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_ticks[0]) / (x_ticks[-1] - x_ticks[0])
        up = (y - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
        return (round(_LEFT + across * (width - _LEFT - _RIGHT), 2),
                round(height - _BOTTOM - up * (height - _TOP - _BOTTOM), 2))

    for x in x_ticks:
        yield Stroke([place(x, y_ticks[0]), place(x, y_ticks[-1])], _GRID)
        yield Text(place(x, 0)[0], height - _BOTTOM + 20, f"{x:g}")
    for y in y_ticks:
        yield Stroke([place(x_ticks[0], y), place(x_ticks[-1], y)], _GRID)
        yield Text(_LEFT - 8, place(0, y)[1] + 5, f"{y:g}", "end")
    yield Stroke([place(x_ticks[0], y_ticks[-1]), place(x_ticks[0], y_ticks[0]),
                  place(x_ticks[-1], y_ticks[0])], _INK)
    yield Text(width / 2, 28, chart.title)
    yield Text((_LEFT + width - _RIGHT) / 2, height - 20, chart.x_label)
    yield Text(22, (_TOP + height - _BOTTOM) / 2, chart.y_label, upright=True)
    for number, (line, curve) in enumerate(zip(chart.lines, curves, strict=True)):
        colour = _COLOURS[number % len(_COLOURS)]
        yield Stroke([place(*point) for point in curve], colour, 2)
        if not line.name:
            continue
        below = _TOP + 18 + 20 * number
        yield Stroke([(width - _RIGHT - 40, below), (width - _RIGHT - 10, below)], colour, 2)
        yield Text(width - _RIGHT - 48, below + 5, line.name, "end")


def ticks(values: list[float]) -> list[float]:
    """Return round numbers at equal distances that enclose the values; at least two."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if low == high:
        low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    raw = (high - low) / (_TICKS - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * 0.999)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [number * step for number in range(first, last + 1)]


def to_svg(shapes: Iterable[Stroke | Text], size: tuple[int, int] = SIZE) -> str:
    """Return the drawing as the text of an SVG file."""
    return svg_element(shapes, size).replace(
        "<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + "\n"


def svg_element(shapes: Iterable[Stroke | Text], size: tuple[int, int] = SIZE) -> str:
    """Return the drawing as an element for an HTML page, which needs no namespace."""
    width, height = size
    rows = [f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'font-family="sans-serif" font-size="{_FONT_SIZE}">',
            '<rect width="100%" height="100%" fill="white"/>']
    for shape in shapes:
        if isinstance(shape, Stroke):
            points = " ".join(f"{x:g},{y:g}" for x, y in shape.points)
            rows.append(f'<polyline points="{points}" fill="none" stroke="{shape.colour}" '
                        f'stroke-width="{shape.width}"/>')
        else:
            turn = f' transform="rotate(-90 {shape.x:g} {shape.y:g})"' if shape.upright else ""
            rows.append(f'<text x="{shape.x:g}" y="{shape.y:g}" text-anchor="{shape.anchor}" '
                        f'fill="{_INK}"{turn}>{escape(shape.words)}</text>')
    return "\n".join([*rows, "</svg>"])


def to_picture(shapes: Iterable[Stroke | Text],
               size: tuple[int, int] = SIZE) -> Image.Image:
    """Return the drawing as pixels."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    font = _font()
    for shape in shapes:
        if isinstance(shape, Stroke):
            if len(shape.points) > 1:
                draw.line(shape.points, shape.colour, shape.width, joint="curve")
        else:
            _write(picture, shape, font)
    return picture


def _write(picture: Image.Image, text: Text,
           font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> None:
    left, top, right, bottom = ImageDraw.Draw(picture).textbbox((0, 0), text.words, font)
    size = math.ceil(right - left) + 2, math.ceil(bottom - top) + 2
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).text((1 - left, 1 - top), text.words, 255, font)
    if text.upright:
        mask = mask.rotate(90, expand=True)
        corner = text.x - mask.width / 2, text.y - mask.height / 2
    else:
        shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.anchor]
        corner = text.x - shift * mask.width, text.y - 11
    picture.paste(_INK, (round(corner[0]), round(corner[1])), mask)


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    try:
        return ImageFont.load_default(_FONT_SIZE)
    except TypeError:  # Pillow before 10.1 has one size
        return ImageFont.load_default()
