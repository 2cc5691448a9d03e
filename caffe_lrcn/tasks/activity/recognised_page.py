"""The page of recognised videos: some frames of each, its classes, and these over time."""
from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from ...drawing.chart import Chart, Curve, draw_chart
from ...drawing.page import write_page
from ...drawing.svg import svg_element
from .ensemble import Recognised
from .recognised import headline, top_classes

_SHOWN = 8       # frames of a strip at most
_HEIGHT = 90     # pixels
_CURVES = 5      # classes of a chart
_POINTS = 400    # moments of a chart at most
_CHART = 480, 280

_STYLE = """.strip { display: flex; flex-wrap: wrap; gap: .25rem; }
.strip img { height: 90px; max-width: 100%; border-radius: .2rem; }
.said { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin-top: .6rem; }
.classes { flex: 1 1 18rem; min-width: 0; } .chart { flex: 1 1 20rem; min-width: 0; }
.classes table { width: 100%; table-layout: fixed; }
.classes td { vertical-align: middle; } .classes td:nth-child(2) { width: 4.5rem; }
.classes td:last-child { width: 40%; padding-right: 0; }
.bar { background: #1f77b4; border-radius: .2rem; height: .8rem; min-width: 1px; }"""


@dataclass
class Strip:
    """Some frames of a video, spread over all of it, however long it turns out to be."""

    pictures: list[np.ndarray] = field(default_factory=list)
    _step: int = 1
    _seen: int = 0

    def __call__(self, frame: np.ndarray) -> None:
        """Keep a frame, (H, W, 3) uint8, BGR, if it is one of those that are shown so far."""
        if self._seen % self._step == 0:
            if len(self.pictures) == 2 * _SHOWN:
                self.pictures = self.pictures[::2]
                self._step *= 2
            if self._seen % self._step == 0:
                self.pictures.append(_small(frame))
        self._seen += 1

    def shown(self) -> list[np.ndarray]:
        """Return at most eight of the frames, spread evenly."""
        count = min(_SHOWN, len(self.pictures))
        places = np.linspace(0, len(self.pictures) - 1, count).round().astype(int)
        return [self.pictures[place] for place in places]


def write_recognised(path: str | os.PathLike[str], about: str, classes: Sequence[str],
                     videos: Iterable[tuple[Recognised | str, Strip | None]], top: int) -> None:
    """Write the page.

    Args:
        path: the file.
        about: a line on how it was made.
        classes: their names.
        videos: what is said about each, or what is wrong with it, and its frames.
        top: how many classes are shown with their probabilities.

    Raises:
        DataError: it cannot be written.
    """
    sections = "\n".join(_section(found, strip, classes, top) for found, strip in videos)
    write_page(path, "Recognised activities", about, sections, _STYLE)


def _section(found: Recognised | str, strip: Strip | None, classes: Sequence[str], top: int) -> str:
    if isinstance(found, str):
        return f'<section><p class="wrong">{html.escape(found)}</p></section>'
    pictures = "".join(f'<img src="{_data_uri(picture)}" alt="">'
                       for picture in (strip.shown() if strip else ()))
    problem = f'<p class="wrong">{html.escape(found.problem)}</p>' if found.problem else ""
    return (f"<section><h2>{html.escape(headline(found))}</h2>{problem}"
            f'<div class="strip">{pictures}</div><div class="said"><div class="classes">'
            f"{_truth(found, classes)}{_table(found.average, classes, top)}</div>"
            f'<div class="chart">{svg_element(draw_chart(chart_of(found, classes)))}</div></div>'
            "</section>")


def _truth(found: Recognised, classes: Sequence[str]) -> str:
    label = found.video.label
    if label is None:
        return ""
    mark = "right" if int(found.average.argmax()) == label else "wrong"
    return (f'<p>true class: {html.escape(classes[label])} <span class="{mark}">({mark})</span>'
            "</p>")


def _table(probabilities: np.ndarray, classes: Sequence[str], top: int) -> str:
    rows = [(html.escape(classes[number]), float(probabilities[number]))
            for number in top_classes(probabilities, top)]
    return "<table>" + "".join(
        f'<tr><td>{name}</td><td>{share:.1%}</td><td><div class="bar" '
        f'style="width: {share:.1%}"></div></td></tr>' for name, share in rows) + "</table>"


def chart_of(found: Recognised, classes: Sequence[str]) -> Chart:
    """Return the probabilities of the first classes over time; long videos are thinned out."""
    step = -(-len(found.over_time) // _POINTS)
    rate = found.rate or 1.0
    moments = [(found.first - 1 + number) / rate if found.rate else found.first + number
               for number in range(0, len(found.over_time), step)]
    curves = [Curve(_shortened(classes[number]),
                    list(zip(moments, found.over_time[::step, number].tolist(), strict=True)))
              for number in top_classes(found.average, _CURVES)]
    return Chart("", "seconds" if found.rate else "frames", "probability", curves, _CHART)


def _shortened(name: str) -> str:
    return name if len(name) <= 24 else name[:23] + "…"


def _small(frame: np.ndarray) -> np.ndarray:
    picture = Image.fromarray(np.ascontiguousarray(frame[:, :, ::-1]))
    picture.thumbnail((4 * _HEIGHT, _HEIGHT))
    return np.asarray(picture)


def _data_uri(picture: np.ndarray) -> str:
    memory = io.BytesIO()
    Image.fromarray(picture).save(memory, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(memory.getvalue()).decode()
