"""Write a picture as SVG."""
from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

from .layout import Curve, Point
from .picture import FONT_SIZE, Box, Picture, Text

_HEAD = '''<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"
  viewBox="0 0 {width} {height}" font-family="Helvetica, Arial, sans-serif" font-size="{size}">
<title>{title}</title>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"
  orient="auto-start-reverse"><path d="M0 1 8 4 0 7z"/></marker></defs>
<rect width="100%" height="100%" fill="white"/>
'''


def as_svg(picture: Picture, title: str) -> str:
    """Return a picture as the text of an SVG file.

    Args:
        picture: what to draw.
        title: name of the drawing.
    """
    parts = [_HEAD.format(width=picture.width, height=picture.height, size=FONT_SIZE,
                          title=escape(title))]
    parts += ['<g fill="none" stroke="black">\n', *map(_route, picture.routes), "</g>\n"]
    parts += ['<g stroke="black">\n', *map(_box, picture.boxes), "</g>\n"]
    # The halo keeps labels readable where an arrow crosses them.
    parts += ['<g stroke="white" stroke-width="3" paint-order="stroke">\n',
              *(_text(text) for text in picture.texts if text.small), "</g>\n"]
    return "".join([*parts, *(_text(text) for text in picture.texts if not text.small),
                    "</svg>\n"])


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _route(route: list[Curve]) -> str:
    pieces = [f"M{_points(route[0][:1])}"]
    for start, inner, outer, end in route:
        straight = inner == start and outer == end
        pieces.append(f"L{_points([end])}" if straight else f"C{_points([inner, outer, end])}")
    return f'<path d="{" ".join(pieces)}" marker-end="url(#head)"/>\n'


def _box(box: Box) -> str:
    return f'<polygon points="{_points(box.corners)}" fill="{box.color}"/>\n'


def _text(text: Text) -> str:
    style = ' text-anchor="middle"' if text.centred else ""
    style += ' font-weight="bold"' if text.bold else ""
    style += f' font-size="{FONT_SIZE - 2}"' if text.small else ""
    return (f'<text x="{_number(text.at[0])}" y="{_number(text.at[1])}" dy="0.35em"{style}>'
            f"{escape(text.text)}</text>\n")
