"""The page of the demonstration: pictures with captions, curves and scores in one file."""
from __future__ import annotations

import base64
import csv
import html
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...drawing.chart import Chart, Curve, draw_chart
from ...drawing.page import html_table
from ...drawing.page import write_page as html_page
from ...drawing.svg import svg_element

_STYLE = """.curves { display: flex; flex-wrap: wrap; gap: 1.5rem; }
.pictures { display: grid; gap: 1.2rem;
  grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); }
img { width: 8rem; height: 8rem; image-rendering: pixelated; }
.caption { margin: .2rem 0; font-weight: 600; }
.references { border-left: .2rem solid #8886; font-size: .85rem; font-style: italic; margin: 0;
  padding-left: .5rem; }
.references b { display: block; font-style: normal; font-weight: normal; opacity: .75; }"""
_CHART = 372, 260


@dataclass(frozen=True)
class Shown:
    """A picture of the page: its file, what the net says, whether that is right, references."""

    picture: Path
    caption: str
    right: bool
    references: Sequence[str]


def write_page(path: str | os.PathLike[str], about: str, scores: Sequence[Sequence[str]],
               curves: Sequence[str], galleries: Sequence[tuple[str, Sequence[Shown]]]) -> None:
    """Write the page; it needs no other file.

    Args:
        path: the file.
        about: a paragraph on what was done.
        scores: rows of a table, the heading first; the page shows them as columns.
        curves: drawings by ``curve``.
        galleries: (heading, pictures).

    Raises:
        DataError: it cannot be written.
    """
    sections = "".join(f'<h2>{html.escape(title)}</h2><div class="pictures">'
                       f'{"".join(map(_figure, shown))}</div>' for title, shown in galleries)
    # A page of 400 pixels has room for a column for each test set, not for each score.
    table = html_table(list(zip(*scores, strict=True)))
    html_page(path, "LRCN on generated pictures", about,
              f'<h2>Scores</h2>{table}<h2>Training</h2><div class="curves">{"".join(curves)}</div>'
              f"{sections}", _STYLE)


def read_curve(path: str | os.PathLike[str], net: str, column: str) -> list[tuple[float, float]]:
    """Return (iteration, value) of a column of a training log, of ``train`` or ``test K``."""
    with open(path, newline="", encoding="utf-8") as file:
        return [(float(row["iteration"]), float(row[column])) for row in csv.DictReader(file)
                if row["net"] == net and row.get(column)]


def curve(title: str, points: Sequence[tuple[float, float]]) -> str:
    """Return a line chart of values over iterations as SVG; nothing if there are none."""
    if not points:
        return ""
    chart = Chart(title, "iterations", "", [Curve("", list(points))], _CHART)
    return svg_element(draw_chart(chart))


def _figure(shown: Shown) -> str:
    data = base64.b64encode(shown.picture.read_bytes()).decode()
    mark, word = ("right", "right") if shown.right else ("wrong", "wrong")
    references = "<br>".join(map(html.escape, shown.references))
    return (f'<figure><img src="data:image/png;base64,{data}" alt="">'
            f'<p class="caption">{html.escape(shown.caption)} '
            f'<span class="{mark}">({word})</span></p>'
            f'<p class="references"><b>what the data say</b>{references}</p></figure>')
