"""Line charts, drawn without a plotting library."""
from __future__ import annotations

import math
from dataclasses import dataclass

from .canvas import Canvas, Line, Text
from .render import encode, extension_of, save

SIZE = 900, 600
_LEFT, _RIGHT, _TOP, _BOTTOM = 90, 30, 50, 70
_COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2")
#: Colours of the grid, and of axes and words; a page may replace them.
GRID, INK = "#dddddd", "#222222"
_FONT_SIZE = 14
_TICKS = 6


@dataclass(frozen=True)
class Curve:
    """A curve with its name in the legend, if any; points that are not finite are left out."""

    name: str
    points: list[tuple[float, float]]


@dataclass(frozen=True)
class Chart:
    """Curves over one pair of axes; ``size`` is width and height in pixels."""

    title: str
    x_label: str
    y_label: str
    curves: list[Curve]
    size: tuple[int, int] = SIZE


def save_chart(chart: Chart, path: str) -> None:
    """Write a chart; the name's ending says whether as SVG or as a picture (.png, .jpg, …).

    Raises:
        UsageError: an ending that says nothing.
        DataError: the file cannot be written.
    """
    save(path, encode(draw_chart(chart), extension_of(path)))


def draw_chart(chart: Chart) -> Canvas:
    """Draw grid, axes, curves and words."""
    width, height = chart.size
    canvas = Canvas(width, height)
    curves = [[point for point in curve.points if all(map(math.isfinite, point))]
              for curve in chart.curves]
    x_ticks, y_ticks = (ticks([point[axis] for curve in curves for point in curve])
                        for axis in (0, 1))

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_ticks[0]) / (x_ticks[-1] - x_ticks[0])
        up = (y - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
        return (round(_LEFT + across * (width - _LEFT - _RIGHT), 2),
                round(height - _BOTTOM - up * (height - _TOP - _BOTTOM), 2))

    def line(places: list[tuple[float, float]], color: str, width: int = 1) -> None:
        canvas.shapes.append(Line([place(*point) for point in places], color, width))

    def write(x: float, y: float, text: str, anchor: str = "middle", upright: bool = False) -> None:
        canvas.shapes.append(Text((x, y), text, _FONT_SIZE, anchor, upright=upright, color=INK))

    for x in x_ticks:
        line([(x, y_ticks[0]), (x, y_ticks[-1])], GRID)
        write(place(x, 0)[0], height - _BOTTOM + 15, f"{x:g}")
    for y in y_ticks:
        line([(x_ticks[0], y), (x_ticks[-1], y)], GRID)
        write(_LEFT - 8, place(0, y)[1], f"{y:g}", "end")
    line([(x_ticks[0], y_ticks[-1]), (x_ticks[0], y_ticks[0]), (x_ticks[-1], y_ticks[0])], INK)
    write(width / 2, 23, chart.title)
    write((_LEFT + width - _RIGHT) / 2, height - 25, chart.x_label)
    write(17, (_TOP + height - _BOTTOM) / 2, chart.y_label, upright=True)
    for number, (curve, points) in enumerate(zip(chart.curves, curves, strict=True)):
        color = _COLORS[number % len(_COLORS)]
        line(points, color, 2)
        if curve.name:
            below = _TOP + 18 + 20 * number
            right = width - _RIGHT
            canvas.shapes.append(Line([(right - 40, below), (right - 10, below)], color, 2))
            write(right - 48, below, curve.name, "end")
    return canvas


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
