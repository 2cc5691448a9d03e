"""Clips with their roles and sentences as one web page that needs no other file."""
from __future__ import annotations

import html
import os
from collections.abc import Sequence

import numpy as np

from ...errors import DataError
from ...files import new_file
from ...paths import resolve
from ...printable import printable_lines
from ..captioning.gallery import Captioned
from ..moving_picture import moving_picture
from .roles import Roles

#: A page has room for so many clips, and for so many labels of a slot.
CLIPS, LABELS = 200, 3
_LEAST = 0.01  # probability of a label that is shown

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Descriptions</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif; --bar: #2a6fbb; }}
@media (prefers-color-scheme: dark) {{ :root {{ --bar: #6aa9e9; }} }}
body {{ margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }}
h1 {{ font-size: 1.4rem; margin-bottom: 0; }}
h1, .about, .sentence, h2, td, th {{ overflow-wrap: anywhere; }}
.about, details, h2 {{ color: GrayText; font-size: .85rem; }}
main {{ display: grid; gap: 1.5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); }}
section {{ border-top: 1px solid #8884; padding-top: .6rem; }}
h2 {{ font-weight: normal; margin: 0 0 .3rem; }}
img {{ display: block; max-width: 100%; border-radius: .3rem; }}
.sentence {{ margin: .5rem 0; font-size: 1.1rem; }}
table {{ border-collapse: collapse; width: 100%; font-size: .85rem; }}
th {{ font-weight: normal; text-align: left; color: GrayText; width: 6rem; }}
th, td {{ vertical-align: top; padding: .1rem .5rem .1rem 0; }}
.label {{ display: grid; grid-template-columns: 1fr 5rem 2.2rem; gap: .4rem; align-items: center; }}
.label.chosen {{ font-weight: 600; }}
.track {{ background: #8883; border-radius: .2rem; height: .6rem; }}
.track i {{ display: block; background: var(--bar); border-radius: .2rem; height: 100%; }}
.number {{ text-align: right; font-variant-numeric: tabular-nums; font-weight: normal; }}
details td:first-child {{ text-align: right; width: 4rem; font-variant-numeric: tabular-nums; }}
</style>
</head>
<body>
<h1>Descriptions</h1>
<p class="about">{about}</p>
<main>
{clips}
</main>
</body>
</html>
"""


def write_page(path: str | os.PathLike[str], about: str, roles: Roles,
               described: Sequence[Captioned], probabilities: bool) -> None:
    """Write the page; of videos that the roles name and that can be read, a small copy plays.

    Args:
        path: the file.
        about: what described the clips, and how.
        roles: of the clips.
        described: their sentences, in the same order; the first ``CLIPS`` are shown.
        probabilities: whether the decoder saw the probabilities, not only the labels.

    Raises:
        DataError: it cannot be written.
    """
    shown = described[:CLIPS]
    clips = "\n".join(_clip(roles, number, entry) for number, entry in enumerate(shown))
    count = f"{len(described)} clips" + (f", the first {len(shown)} of them here"
                                         if len(shown) < len(described) else "")
    saw = "the probabilities of all labels" if probabilities else "the labels in bold"
    with new_file(path, DataError, "the page") as file:
        file.write(printable_lines(_PAGE.format(
            about=html.escape(f"{about}; {count}. The decoder saw {saw}."), clips=clips)))


def _clip(roles: Roles, number: int, entry: Captioned) -> str:
    parts = [f"<h2>{html.escape(entry.name)}</h2>"]
    video = roles.videos[number]
    source = None if video is None else moving_picture(resolve(video, roles.path))
    if source is not None:
        parts.append(f'<img src="{source}" alt="">')  # the sentence below says it all
    parts.append(f'<p class="sentence">{html.escape(entry.captions[0][1]) or "(no words)"}</p>')
    rows = "".join(f"<tr><th>{html.escape(slot.name)}</th><td>{_labels(roles, number, k)}</td></tr>"
                   for k, slot in enumerate(roles.slots))
    parts.append(f"<table>{rows}</table>")
    ranked = "".join(f"<tr><td>{log_prob:.2f}</td><td>{html.escape(sentence)}</td></tr>"
                     for log_prob, sentence in entry.captions)
    parts.append("<details><summary>log probabilities</summary>"
                 f"<table>{ranked}</table></details>")
    return f"<section>{''.join(parts)}</section>"


def _labels(roles: Roles, number: int, slot: int) -> str:
    """Return the likeliest labels of a slot with their probabilities as bars."""
    labels, chosen = roles.slots[slot].labels, int(roles.labels[number, slot])
    if roles.probabilities is None:
        return f"<b>{html.escape(labels[chosen])}</b>"
    vector = roles.probabilities[number, roles.block(slot)]
    best = [int(i) for i in np.argsort(-vector, kind="stable")[:LABELS] if vector[i] >= _LEAST]
    return "".join(
        f'<div class="label{" chosen" if i == chosen else ""}"><span>{html.escape(labels[i])}'
        f'</span><span class="track"><i style="width:{min(vector[i], 1):.0%}"></i></span>'
        f'<span class="number">{vector[i]:.0%}</span></div>'
        for i in (best if chosen in best else [*best, chosen]))
