"""Write a canvas as SVG."""
from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

from ..printable import printable
from .canvas import Arrow, Box, Canvas, Line, Point, Text

_HEAD = '''<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" \
markerHeight="8" orient="auto-start-reverse"><path d="M0 1 8 4 0 7z"/></marker></defs>
'''


def as_svg(canvas: Canvas) -> str:
    """Return the text of an SVG file."""
    return svg_element(canvas).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ',
                                       1) + "\n"


def svg_element(canvas: Canvas) -> str:
    """Return an element for an HTML page, which needs no namespace."""
    width, height = canvas.width, canvas.height
    parts = [f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
             'font-family="Helvetica, Arial, sans-serif">\n']
    if canvas.title:
        parts.append(f"<title>{escape(printable(canvas.title))}</title>\n")
    if any(isinstance(shape, Arrow) for shape in canvas.shapes):
        parts.append(_HEAD)
    parts.append('<rect width="100%" height="100%" fill="white"/>\n')
    return "".join([*parts, *map(_shape, canvas.shapes), "</svg>"])


def _shape(shape: Line | Arrow | Box | Text) -> str:
    if isinstance(shape, Line):
        return (f'<polyline points="{_points(shape.points)}" fill="none" stroke="{shape.color}" '
                f'stroke-width="{shape.width}"/>\n')
    if isinstance(shape, Box):
        return (f'<polygon points="{_points(shape.corners)}" fill="{shape.color}" '
                f'stroke="{shape.outline}"/>\n')
    return _arrow(shape) if isinstance(shape, Arrow) else _text(shape)


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _arrow(arrow: Arrow) -> str:
    pieces = [f"M{_points(arrow.route[0][:1])}"]
    for start, inner, outer, end in arrow.route:
        straight = inner == start and outer == end
        pieces.append(f"L{_points([end])}" if straight else f"C{_points([inner, outer, end])}")
    return (f'<path d="{" ".join(pieces)}" fill="none" stroke="black" '
            'marker-end="url(#head)"/>\n')


def _text(text: Text) -> str:
    x, y = map(_number, text.at)
    style = f' text-anchor="{text.anchor}"' if text.anchor != "start" else ""
    style += ' font-weight="bold"' if text.bold else ""
    style += f' fill="{text.color}"' if text.color != "black" else ""
    style += ' stroke="white" stroke-width="3" paint-order="stroke"' if text.halo else ""
    style += f' transform="rotate(-90 {x} {y})"' if text.upright else ""
    return (f'<text x="{x}" y="{y}" dy="0.35em" font-size="{text.size}"{style}>'
            f"{escape(printable(text.text))}</text>\n")
