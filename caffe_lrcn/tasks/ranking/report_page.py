"""The report of a ranking as one web page that needs no other file."""
from __future__ import annotations

import html
import os

from ...drawing import page
from .report import CriterionReport, Report, agreements, counted

_STYLE = """:root { --bar: #7ba7dc; --ink: #12335c; }
@media (prefers-color-scheme: dark) { :root { --bar: #3d6ea8; --ink: #dbe8f8; } }
main { display: grid; gap: 1.5rem 2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); }
h2 { margin: 1rem 0 .3rem; }
.bars, .bars tbody { display: block; }
.bars tr { display: grid; grid-template-columns: 1fr auto; }
.bars th, .bars td { padding: .35rem 0 0; }
.bars th { font-weight: normal; }
.bars td:last-child { grid-column: 1 / 3; padding: 0; }
.track { position: relative; height: 1rem; background: #8882; }
.track * { position: absolute; }
.bar { height: 100%; left: 0; background: var(--bar); }
.interval { top: 50%; height: 2px; margin-top: -1px; background: var(--ink); }
.interval::before, .interval::after { content: ""; position: absolute; top: -4px; width: 2px;
  height: 10px; background: var(--ink); }
.interval::before { left: 0; } .interval::after { right: 0; }"""
_ABOUT_AGREEMENT = """<p>W lies between 0 and 1; two judges who rank at random reach 0.5 on average.
Tau and alpha are 1 where all judges agree, and 0 on average where they rank at random.</p>"""


def write_page(path: str | os.PathLike[str], report: Report) -> None:
    """Write the page.

    Raises:
        DataError: it cannot be written.
    """
    criteria = "\n".join(_bars(report, criterion) for criterion in report.criteria)
    page.write_page(
        path, f"Ranks of {len(report.systems)} systems",
        "; ".join([*counted(report), "a shorter bar is better"]) + ".",
        f"<main>\n{criteria}\n</main>\n<h2>How far the judges agree</h2>\n"
        f"{page.html_table(agreements(report))}\n{_ABOUT_AGREEMENT}", _STYLE)


def _bars(report: Report, criterion: CriterionReport) -> str:
    rows = "\n".join(
        f'<tr><th scope="row">{html.escape(system)}</th><td>{criterion.cell(place)}</td>'
        f'<td aria-hidden="true"><div class="track">{_bar(criterion, place)}</div></td></tr>'
        for place, system in enumerate(report.systems))
    return (f"<section><h2>{html.escape(criterion.name.capitalize())}</h2>"
            f'<table class="bars">{rows}</table></section>')


def _bar(criterion: CriterionReport, place: int) -> str:
    """Return a bar from 0 to the mean, on a track that ends at the last rank, and its interval."""
    share = 100 / len(criterion.means)
    bar = f'<div class="bar" style="width: {criterion.means[place] * share:.2f}%"></div>'
    if criterion.low is None or criterion.high is None:
        return bar
    low, high = criterion.low[place] * share, criterion.high[place] * share
    return bar + (f'<div class="interval" style="left: {low:.2f}%; width: {high - low:.2f}%">'
                  '</div>')
