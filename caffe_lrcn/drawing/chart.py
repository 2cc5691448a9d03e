"""Line charts, drawn without a plotting library."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .canvas import Box, Canvas, Line, Point, Shape, Text, font
from .render import encode, extension_of, save

SIZE = 900, 600
_LEFT, _RIGHT, _TOP, _BOTTOM = 90, 30, 50, 70
_COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2")
#: Colours of the grid, and of axes and words.
GRID, INK = "#dddddd", "#222222"
#: Style rules of a page for its charts in dark mode.
DARK = f"""svg > rect {{ fill: #1b1b1b; }} svg text {{ fill: #ddd; }}
  svg polyline[stroke="{GRID}"] {{ stroke: #444; }}
  svg polyline[stroke="{INK}"] {{ stroke: #aaa; }}"""
_FONT_SIZE = 14
_TICKS = 6
_ROW, _KEY = 20, 38  # height of a row of the legend; width of a sample of a curve
_MARKED = 10         # points of a curve that gets a mark at each


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


def draw_charts(charts: Sequence[Chart]) -> Canvas:
    """Draw charts one below the other."""
    drawn = [draw_chart(chart) for chart in charts]
    page = Canvas(max((canvas.width for canvas in drawn), default=0), 0, scale=2)
    for canvas in drawn:
        page.shapes += [_moved(shape, page.height) for shape in canvas.shapes]
        page.height += canvas.height
    return page


def draw_chart(chart: Chart) -> Canvas:
    """Draw grid, axes, curves and words.

    The horizontal axis ends where the points do. A curve of few points has a mark at each, so that
    one point alone is seen.
    """
    width, height = chart.size
    canvas = Canvas(width, height)
    curves = [[point for point in curve.points if all(map(math.isfinite, point))]
              for curve in chart.curves]
    rows = _legend_rows([curve.name for curve in chart.curves], width - _LEFT - _RIGHT)
    top = _TOP + _ROW * max(0, len(rows) - 1)
    xs, ys = ([point[axis] for curve in curves for point in curve] for axis in (0, 1))
    x_low, x_high = _range(xs)
    x_ticks = [x for x in ticks(xs) if x_low <= x <= x_high]
    y_ticks = ticks(ys)

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_low) / (x_high - x_low)
        up = (y - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])
        return (round(_LEFT + across * (width - _LEFT - _RIGHT), 2),
                round(height - _BOTTOM - up * (height - top - _BOTTOM), 2))

    def line(places: list[tuple[float, float]], color: str, width: int = 1) -> None:
        canvas.shapes.append(Line([place(*point) for point in places], color, width))

    def write(x: float, y: float, text: str, anchor: str = "middle", upright: bool = False) -> None:
        canvas.shapes.append(Text((x, y), text, _FONT_SIZE, anchor, upright=upright, color=INK))

    for x in x_ticks:
        line([(x, y_ticks[0]), (x, y_ticks[-1])], GRID)
        write(place(x, 0)[0], height - _BOTTOM + 15, f"{x:g}")
    for y in y_ticks:
        line([(x_low, y), (x_high, y)], GRID)
        write(_LEFT - 8, place(x_low, y)[1], f"{y:g}", "end")
    line([(x_low, y_ticks[-1]), (x_low, y_ticks[0]), (x_high, y_ticks[0])], INK)
    write(width / 2, 15, chart.title)
    write((_LEFT + width - _RIGHT) / 2, height - 25, chart.x_label)
    write(17, (top + height - _BOTTOM) / 2, chart.y_label, upright=True)
    for number, points in enumerate(curves):
        color = _COLORS[number % len(_COLORS)]
        if len(points) > 1:
            line(points, color, 2)
        if len(points) <= _MARKED:
            canvas.shapes += [_mark(place(*point), color) for point in points]
    canvas.shapes += _legend(rows)
    return canvas


def _mark(at: Point, color: str) -> Box:
    x, y = at
    return Box(((x - 4, y), (x, y - 4), (x + 4, y), (x, y + 4)), color)


def _legend_rows(names: Sequence[str], width: int) -> list[list[tuple[int, str, float]]]:
    """Return the rows of the legend: number, name and left end of each curve that has a name."""
    rows: list[list[tuple[int, str, float]]] = []
    end = math.inf
    for number, name in enumerate(names):
        needed = _KEY + font(_FONT_SIZE).getlength(name) + 20
        if not name:
            continue
        if end + needed > width:
            rows.append([])
            end = 0.0
        rows[-1].append((number, name, _LEFT + end))
        end += needed
    return rows


def _legend(rows: list[list[tuple[int, str, float]]]) -> list[Line | Text]:
    shapes: list[Line | Text] = []
    for row, entries in enumerate(rows):
        y = 37 + _ROW * row
        for number, name, x in entries:
            color = _COLORS[number % len(_COLORS)]
            shapes += [Line([(x, y), (x + _KEY - 8, y)], color, 2),
                       Text((x + _KEY, y), name, _FONT_SIZE, "start", color=INK)]
    return shapes


def _moved(shape: Shape, down: int) -> Shape:
    if isinstance(shape, Line):
        return replace(shape, points=[(x, y + down) for x, y in shape.points])
    if isinstance(shape, Box):
        return replace(shape, corners=tuple((x, y + down) for x, y in shape.corners))
    if isinstance(shape, Text):
        return replace(shape, at=(shape.at[0], shape.at[1] + down))
    return replace(shape, route=[tuple((x, y + down) for x, y in curve) for curve in shape.route])


def _range(values: list[float]) -> tuple[float, float]:
    """Return the least and the greatest value, or something around them if they are one."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if low == high:
        return low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    return low, high


def ticks(values: list[float]) -> list[float]:
    """Return round numbers at equal distances that enclose the values; at least two."""
    low, high = _range(values)
    raw = (high - low) / (_TICKS - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * 0.999)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [number * step for number in range(first, last + 1)]
