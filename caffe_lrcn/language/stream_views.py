"""Word streams as timelines: text for a terminal, or one page of HTML."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from ..drawing.page import page
from .stream_checks import PADDING, Finding, Lengths, Streams, starts

Word = Callable[[int], str]
_SHOWN = 5  # places of a finding that are listed

_ABOUT = """A row is a stream. Above: the input; below, in grey: the target. A bar on the left: \
cont is 0 and a sequence begins. Red: something is wrong there."""
_STYLE = """body { font-size: 13px; max-width: none; }
pre { overflow-wrap: anywhere; white-space: pre-wrap; }
th { font-weight: normal; color: GrayText; position: sticky; left: 0; background: Canvas; }
td, th { padding: 2px 6px; } th:first-child { text-align: right; }
td { border: 1px solid #ddd; white-space: nowrap; text-align: center !important; }
td.odd { background: #e8f1fb; } td.even { background: #eef7e8; }
td.start { border-left: 3px solid #36c; }
td.padding { background: #f4f4f4; color: #aaa; }
td.wrong { background: #fbd5d5; outline: 2px solid #c33; color: inherit; }
i { color: #777; font-style: normal; font-size: 11px; display: block; }
@media (prefers-color-scheme: dark) {
  td { border-color: #444; } i { color: #aaa; }
  td.odd { background: #1c2c40; } td.even { background: #22331c; }
  td.padding { background: #222; color: #777; } td.wrong { background: #5a1f1f; }
}"""


def facts(streams: Streams, lengths: Lengths, findings: Sequence[Finding]) -> str:
    """Return what holds for the whole file: sizes, lengths, problems with their places."""
    lines = [f"{streams.steps:,} steps of {streams.count:,} streams",
             f"{lengths.count:,} sequences of {lengths.least} to {lengths.most} steps, "
             f"{lengths.mean:.1f} on average; {lengths.padding:.1%} padding"]
    for finding in findings:
        count = len(finding.places)
        places = ", ".join(f"step {step} of stream {stream}"
                           for step, stream in finding.places[:_SHOWN])
        more = f" and {count - _SHOWN:,} more" if count > _SHOWN else ""
        lines.append(f"problem: {finding.text} ({places}{more})")
    return "\n".join([*lines, *([] if findings else ["no problems"])])


def as_text(streams: Streams, steps: int, count: int, word: Word,
            findings: Sequence[Finding]) -> str:
    """Return three lines a stream, cont, input and target, in columns of one step.

    Args:
        streams: the arrays.
        steps, count: how many steps of how many streams.
        word: gives the text for a word's number.
        findings: their places get an exclamation mark.
    """
    wrong = {place for finding in findings for place in finding.places}
    blocks = []
    shown = min(count, streams.count)
    columns = [_column(streams, step, shown, word, wrong)
               for step in range(min(steps, streams.steps))]
    for stream in range(shown):
        lines = []
        for row, name in enumerate(("cont", "input", "target")):
            cells = [column[stream][row].ljust(max(len(text) for cell in column for text in cell))
                     for column in columns]
            label = f"stream {stream}" if not row else ""
            lines.append(f"{label:<11} {name:<6}  {'  '.join(cells)}".rstrip())
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _column(streams: Streams, step: int, count: int, word: Word,
            wrong: set[tuple[int, int]]) -> list[tuple[str, str, str]]:
    """Return the texts of a step, one triple a stream."""
    return [(f"{streams.cont[step, stream]:g}{'!' if (step, stream) in wrong else ''}",
             _input(streams, step, stream, word),
             _shown(int(streams.target[step, stream]), word)) for stream in range(count)]


def _input(streams: Streams, step: int, stream: int, word: Word) -> str:
    if streams.reads is not None and streams.reads[step, stream]:
        return "frame"
    return _shown(int(streams.input[step, stream]), word)


def _shown(number: int, word: Word) -> str:
    return "·" if number == PADDING else word(number)


def as_html(title: str, streams: Streams, steps: int, count: int, word: Word, summary: str,
            findings: Sequence[Finding]) -> str:
    """Return a page that needs no other file; see ``as_text``.

    Args:
        title: headline of the page.
        streams, steps, count, word, findings: as for ``as_text``.
        summary: text above the timelines.
    """
    wrong = {place: finding.text for finding in findings for place in finding.places}
    begin = starts(streams)
    steps = min(steps, streams.steps)
    rows = ["<tr><th>step</th>" + "".join(f"<th>{step}</th>" for step in range(steps))
            + "</tr>\n"]
    for stream in range(min(count, streams.count)):
        sequence, cells = 0, []
        for step in range(steps):
            sequence += bool(begin[step, stream])
            classes = ["start"] if begin[step, stream] else []
            padded = streams.input[step, stream] == PADDING
            classes.append("padding" if padded else "odd" if sequence % 2 else "even")
            why = wrong.get((step, stream), "")
            classes += ["wrong"] if why else []
            hint = f"cont {streams.cont[step, stream]:g}{'; ' + why if why else ''}"
            cells.append(f'<td class="{" ".join(classes)}" title="{escape(hint)}">'
                         f"{escape(_input(streams, step, stream, word))}"
                         f"<i>{escape(_shown(int(streams.target[step, stream]), word))}</i></td>")
        rows.append(f"<tr><th>{stream}</th>{''.join(cells)}</tr>\n")
    return page(title, _ABOUT, f'<pre>{escape(summary)}</pre>'
                f'<div class="scroll"><table>{"".join(rows)}</table></div>', _STYLE)
