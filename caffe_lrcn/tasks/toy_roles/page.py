"""The page of the demonstration: clips that play, their roles, sentences of all systems, scores."""
from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...drawing.chart import Chart, Curve, draw_chart
from ...drawing.page import html_table
from ...drawing.page import write_page as html_page
from ...drawing.svg import svg_element
from ..description.labelling import Agreement
from ..description.page import ROLE_STYLE, role_table
from ..description.roles import Roles
from ..moving_picture import moving_picture

_CHART = (372, 260)
_STYLE = ROLE_STYLE + """.scroll td:not(:first-child), .scroll th { white-space: nowrap; }
@media (max-width: 30rem) { .scroll th, .scroll td { padding-right: .5rem; font-size: .9rem; } }
.clips { display: grid; gap: 1.8rem;
  grid-template-columns: repeat(auto-fill, minmax(min(23rem, 100%), 1fr)); }
.clip { border-top: 1px solid #8884; padding-top: .7rem; min-width: 0; }
.clip > div { display: flex; gap: .8rem; align-items: start; }
.clip img { width: 8rem; height: 8rem; border-radius: .3rem; flex: none; }
.said { margin: .5rem 0; font-size: .9rem; }
.said dt { color: GrayText; font-size: .8rem; margin-top: .35rem; }
.said dd { margin: 0; overflow-wrap: anywhere; }
.references { border-left: .2rem solid #8886; font-size: .8rem; font-style: italic; margin: .5rem 0;
  padding-left: .5rem; }
.curves { display: flex; flex-wrap: wrap; gap: 1.5rem; }
.note { max-width: 46rem; }
@media (max-width: 30rem) { .label { grid-template-columns: 1fr 2.5rem 2.6rem; }
  .roles th { width: 4rem; } .clip img { width: 6.5rem; height: 6.5rem; } }"""
_ABOUT = (
    "Generated clips of somebody who cooks. {source} Seven systems write sentences from that: "
    "statistical translation, the three architectures of Figure 5 of the LRCN paper, and two that "
    "see the frames' features instead of the roles. None has seen the kitchens of these clips.")
_SOURCES = {
    "pixels": "A net looks at the frames of each clip, and a CRF says with which probability each "
              "role has which label.",
    "noisy": "A simulated recogniser says with which probability each role has which label; it "
             "looks at each role alone and is wrong about one label in five."}


@dataclass(frozen=True)
class Row:
    """A system in the table of scores.

    Args:
        title: what it is called.
        scores: ``BLEU-4`` in per cent, ``CIDEr-D``, and ``true``, the per cent of its sentences
            that are true of their clips.
        paper: BLEU-4 in Table 9 of the paper, if it is there.
    """

    title: str
    scores: Mapping[str, float]
    paper: float | None


@dataclass(frozen=True)
class Content:
    """What the page shows.

    Args:
        source: of the roles: ``pixels`` or ``noisy``.
        rows: of the table of scores.
        agreement: how many labels of the test clips are right.
        found: roles of the test clips, as they were recognised.
        true: the true ones.
        clips: numbers of the clips that are shown.
        said: title of a system -> its sentence about each of these clips, and whether it is true.
        curves: title of a chart -> name of a curve -> its points.
    """

    source: str
    rows: Sequence[Row]
    agreement: Agreement
    found: Roles
    true: Roles
    clips: Sequence[int]
    said: Mapping[str, Sequence[tuple[str, bool]]]
    curves: Mapping[str, Mapping[str, list[tuple[float, float]]]]


def score_lines(rows: Sequence[Row]) -> list[list[str]]:
    """Return the table of scores as texts, the heading first."""
    lines = [["system", "BLEU-4", "Table 9", "CIDEr-D", "true"]]
    for row in rows:
        paper = "" if row.paper is None else f"{row.paper:.1f}"
        lines.append([row.title, f"{row.scores['BLEU-4']:.1f}", paper,
                      f"{row.scores['CIDEr-D']:.2f}", f"{row.scores['true']:.0f}%"])
    return lines


def write_page(path: str | os.PathLike[str], content: Content) -> None:
    """Write the page; it needs no other file.

    Raises:
        DataError: it cannot be written.
    """
    count = len(content.true.ids)
    shares = content.agreement.slots
    right = html_table([["", *shares, "all five"],
                        ["right", *(f"{share:.0%}" for share in shares.values()),
                         f"{content.agreement.whole:.0%}"]])
    clips = "".join(_clip(content, place, number) for place, number in enumerate(content.clips))
    body = "".join((
        f"<h2>Scores on {count} test clips, and the paper's Table 9</h2>",
        html_table(score_lines(content.rows)),
        '<p class="note">BLEU-4 is in per cent: of the corpus, with all references of a clip. The '
        "paper's figures are of TACoS Multi-Level, real videos with sentences by people: the "
        "numbers cannot be compared, their order can. True are sentences that could have been "
        "written about the clip by whoever wrote the references. The language model sees nothing "
        "and writes its most probable sentence about each clip.</p>",
        "<h2>Labels that are right</h2>", right,
        f'<h2>Test clips</h2><div class="clips">{clips}</div>',
        f'<h2>Training</h2><div class="curves">{"".join(_charts(content))}</div>'))
    html_page(path, "Video description on generated clips",
              _ABOUT.format(source=_SOURCES[content.source]), body, _STYLE)


def _clip(content: Content, place: int, number: int) -> str:
    """Return a clip with its roles, sentences and references."""
    true = content.true
    folder = os.path.dirname(true.path)
    video = moving_picture(os.path.join(folder, true.videos[number] or ""))
    picture = "" if video is None else f'<img src="{video}" alt="the clip">'
    said = "".join(
        f'<dt>{html.escape(title)}</dt><dd class="{"right" if sentences[place][1] else "wrong"}">'
        f"{html.escape(sentences[place][0])}</dd>" for title, sentences in content.said.items())
    references = "<br>".join(map(html.escape, dict.fromkeys(true.sentences[number])))
    return (f'<section class="clip"><div>{picture}'
            f"{role_table(content.found, number, true.names(number))}</div>"
            f'<dl class="said">{said}</dl><p class="references">{references}</p></section>')


def _charts(content: Content) -> list[str]:
    return [svg_element(draw_chart(Chart(
        title, "iterations", "", [Curve(name, points) for name, points in curves.items()], _CHART)))
        for title, curves in content.curves.items() if any(curves.values())]
