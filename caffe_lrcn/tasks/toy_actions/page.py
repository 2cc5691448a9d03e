"""The page of the demonstration: clips that play, what the nets say over time, scores."""
from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...drawing.chart import Chart, Curve, draw_chart
from ...drawing.confusion import draw_confusion
from ...drawing.page import html_table
from ...drawing.page import write_page as html_page
from ...drawing.svg import svg_element
from ..activity.evaluate import Evaluation
from ..moving_picture import animated

_KINDS = {"single_frame": "Single frame", "lrcn": "LRCN-fc6"}
_COLUMNS = {"RGB": "RGB", "flow": "flow", "average": "1/2, 1/2", "third": "1/3, 2/3"}
#: Accuracies in percent. Source: paper, Table 1: means over the three splits of UCF101.
TABLE_1 = {"single_frame": (67.37, 74.37, 75.46, 78.94), "lrcn": (68.20, 77.28, 80.90, 82.34)}
_CHART, _CURVES = (400, 250), 3
_SECONDS = 2.0  # how long a clip plays: half as fast as the video
_STYLE = """td:not(:first-child), th:not(:first-child) { white-space: nowrap; }
.clips { display: grid; gap: 1.6rem;
  grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); }
.clip img { width: 8rem; height: 8rem; image-rendering: pixelated; margin-right: .4rem; }
.clip h3 { font-size: 1rem; margin: 0 0 .4rem; }
.clip table { font-size: .85rem; margin: .4rem 0; }
.matrices { display: grid; gap: 1.5rem;
  grid-template-columns: repeat(auto-fit, minmax(min(34rem, 100%), 1fr)); }"""
_ABOUT = (
    "Two nets that look at single frames and two LRCNs, trained on generated clips of {classes} "
    "classes: one of each on frames (RGB), one on pictures of their optical flow. Fused are their "
    "probabilities, with the paper's weights. The class lies in the motion: a single frame cannot "
    "tell left from right, and the flow of one frame cannot tell which of two motions came first.")


@dataclass(frozen=True)
class Clip:
    """A test clip on the page.

    Args:
        name: of the video.
        true: its class.
        frames, flow: (T, H, W, 3) uint8, BGR, in which T may differ.
        said: net -> the class that it says.
        over_time: modality -> (T, classes) what the LRCN says at each frame.
        classes: their names.
    """

    name: str
    true: str
    frames: np.ndarray
    flow: np.ndarray
    said: Mapping[str, str]
    over_time: Mapping[str, np.ndarray]
    classes: Sequence[str]


def write_page(path: str | os.PathLike[str], scores: Mapping[tuple[str, str], Evaluation],
               clips: Sequence[Clip], method: str) -> None:
    """Write the page; it needs no other file.

    Args:
        path: the file.
        scores: by kind of net (``single_frame``, ``lrcn``) and input or fusion (``RGB``, ``flow``,
            ``average``, ``third``).
        clips: what it shows.
        method: the one of the optical flow.

    Raises:
        DataError: it cannot be written.
    """
    videos = int(scores["lrcn", "RGB"].confusion.sum())
    classes = len(scores["lrcn", "RGB"].classes)
    body = "".join((
        f"<h2>Accuracy on {videos} test clips, in percent, and the paper's Table 1</h2>",
        _table(scores),
        "<p>The paper's figures are of UCF101, 101 classes of real videos: the numbers cannot be "
        "compared, their order can. "
        f"Flow is computed by {'OpenCV (DIS)' if method == 'dis' else 'the method of Brox et al.'}"
        "; the paper's is by the method of Brox et al.</p>",
        '<h2>Test clips</h2><div class="clips">', *map(_figure, clips), "</div>",
        '<h2>Which classes are taken for which</h2><div class="matrices">',
        *(_matrix(scores, kind, name) for name in ("RGB", "flow", "third") for kind in _KINDS),
        "</div>"))
    html_page(path, "Activity recognition on generated clips", _ABOUT.format(classes=classes),
              body, _STYLE)


def _table(scores: Mapping[tuple[str, str], Evaluation]) -> str:
    rows = [["", *_COLUMNS.values()]]
    for kind, title in _KINDS.items():
        rows.append([title, *(f"{scores[kind, name].mean * 100:.1f}" for name in _COLUMNS)])
    for kind, title in _KINDS.items():
        rows.append([f"{title}, paper", *(f"{value:.1f}" for value in TABLE_1[kind])])
    return html_table(rows)


def _figure(clip: Clip) -> str:
    rows = [["", "RGB", "flow"]] + [
        [title, *(clip.said[f"{kind}_{modality}"] for modality in ("RGB", "flow"))]
        for kind, title in _KINDS.items()]
    said = html_table(rows)
    for wrong in sorted(set(clip.said.values())):
        mark = "right" if wrong == clip.true else "wrong"
        said = said.replace(f"<td>{wrong}</td>", f'<td class="{mark}">{wrong}</td>')
    charts = "".join(_chart(clip, modality) for modality in clip.over_time)
    return (f'<figure class="clip"><h3>{html.escape(clip.true)}</h3>'
            f'<img src="{_play(clip.frames)}" alt="the clip">'
            f'<img src="{_play(clip.flow)}" alt="its optical flow">{said}{charts}</figure>')


def _play(frames: np.ndarray) -> str:
    return animated(frames[..., ::-1], _SECONDS)


def _chart(clip: Clip, modality: str) -> str:
    """Draw the probabilities over time of the classes that an LRCN finds most likely."""
    values = clip.over_time[modality]
    best = list(values.mean(axis=0).argsort()[::-1][:_CURVES])
    true = clip.classes.index(clip.true)
    if true not in best:
        best[-1] = true
    # The first picture of flow is that of the second frame.
    first = 2 if modality == "flow" else 1
    curves = [Curve(clip.classes[number],
                    [(float(first + time), float(value))
                     for time, value in enumerate(values[:, number])]) for number in best]
    chart = Chart(f"LRCN, {modality}", "frame", "probability", curves, _CHART)
    return svg_element(draw_chart(chart))


def _matrix(scores: Mapping[tuple[str, str], Evaluation], kind: str, name: str) -> str:
    found = scores[kind, name]
    title = f"{_KINDS[kind]}, {'fused ' if ',' in _COLUMNS[name] else ''}{_COLUMNS[name]}"
    return f"<figure>{svg_element(draw_confusion(found.confusion, found.classes, title))}</figure>"
