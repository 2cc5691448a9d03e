"""The report of a ranking as one web page that needs no other file."""
from __future__ import annotations

import html
import os

from ...errors import DataError
from ...files import new_file
from ...printable import printable_lines
from .report import AGREEMENTS, CriterionReport, Report, counted, number

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ranks of {count} systems</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif; --bar: #7ba7dc;
  --ink: #12335c; }}
@media (prefers-color-scheme: dark) {{ :root {{ --bar: #3d6ea8; --ink: #dbe8f8; }} }}
body {{ margin: 2rem auto; max-width: 76rem; padding: 0 1rem; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.5rem; }} h2 {{ font-size: 1.15rem; margin: 0 0 .5rem; }}
.about {{ opacity: .8; font-size: .9rem; }}
main {{ display: grid; gap: 2rem; grid-template-columns:
  repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); }}
table {{ border-collapse: collapse; }}
.bars {{ width: 100%; }}
.bars th {{ font-weight: normal; text-align: left; padding: .35rem 0 0; }}
.bars td:not(:last-child) {{ text-align: right; padding: .35rem 0 0 .6rem; white-space: nowrap;
  font-variant-numeric: tabular-nums; vertical-align: bottom; }}
.bars tr {{ display: grid; grid-template-columns: 1fr auto; }}
.bars td:last-child {{ grid-column: 1 / 3; padding: 0; }}
.track {{ position: relative; height: 1rem; background: #8882; }}
.track * {{ position: absolute; }}
.bar {{ height: 100%; left: 0; background: var(--bar); }}
.interval {{ top: 50%; height: 2px; margin-top: -1px; background: var(--ink); }}
.interval::before, .interval::after {{ content: ""; position: absolute; top: -4px; width: 2px;
  height: 10px; background: var(--ink); }}
.interval::after {{ right: 0; }}
.agreement td, .agreement th {{ padding: .2rem .9rem .2rem 0; text-align: left; }}
.agreement td {{ font-variant-numeric: tabular-nums; }}
</style>
</head>
<body>
<h1>Ranks of {count} systems</h1>
<p class="about">{about}; a shorter bar is better</p>
<main>
{criteria}
</main>
<h2 style="margin-top: 2rem">How far the judges agree</h2>
<table class="agreement">
{agreement}
</table>
<p class="about">W lies between 0 and 1; two judges who rank at random reach 0.5 on average. Tau and
alpha are 1 where all judges agree, and 0 on average where they rank at random.</p>
</body>
</html>
"""


def write_page(path: str | os.PathLike[str], report: Report) -> None:
    """Write the page.

    Raises:
        DataError: it cannot be written.
    """
    about = "<br>".join(map(html.escape, counted(report)))
    with new_file(path, DataError, "the page") as file:
        file.write(printable_lines(_PAGE.format(
            count=len(report.systems), about=about, agreement=_agreement(report),
            criteria="\n".join(_bars(report, criterion) for criterion in report.criteria))))


def _bars(report: Report, criterion: CriterionReport) -> str:
    rows = "\n".join(
        f'<tr><th scope="row">{html.escape(system)}</th><td>{criterion.cell(place)}</td>'
        f'<td aria-hidden="true"><div class="track">{_bar(criterion, place)}</div></td></tr>'
        for place, system in enumerate(report.systems))
    return (f'<section><h2>{html.escape(criterion.name.capitalize())}</h2>'
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


def _agreement(report: Report) -> str:
    head = "".join(f'<th scope="col">{html.escape(criterion.name)}</th>'
                   for criterion in report.criteria)
    rows = [f"<tr><td></td>{head}</tr>"]
    for field, name in AGREEMENTS.items():
        cells = "".join(f"<td>{number(getattr(criterion.agreement, field))}</td>"
                        for criterion in report.criteria)
        rows.append(f'<tr><th scope="row">{html.escape(name)}</th>{cells}</tr>')
    return "\n".join(rows)
