"""Clips with their roles and sentences as one web page that needs no other file."""
from __future__ import annotations

import html
import os
from collections.abc import Sequence

import numpy as np

from ...drawing.page import write_page
from ...paths import resolve
from ..captioning.gallery import Captioned
from ..moving_picture import moving_picture
from .roles import Roles

#: A page has room for so many clips, and for so many labels of a slot.
CLIPS, LABELS = 200, 3
_LEAST = 0.01  # probability of a label that is shown

#: Rules for ``role_table``.
ROLE_STYLE = """:root { --bar: #2a6fbb; }
@media (prefers-color-scheme: dark) { :root { --bar: #6aa9e9; } }
.roles { width: 100%; font-size: .85rem; }
.roles th { font-weight: normal; text-align: left; color: GrayText; width: 6rem; }
.roles th, .roles td { padding: .1rem .5rem .1rem 0; }
.roles td:last-child { text-align: left; }
.label { display: grid; grid-template-columns: 1fr 5rem 2.8rem; gap: .4rem; align-items: center; }
.label.chosen { font-weight: 600; }
.track { background: #8883; border-radius: .2rem; height: .6rem; }
.track i { display: block; background: var(--bar); border-radius: .2rem; height: 100%; }
.number { text-align: right; font-weight: normal; white-space: nowrap; }
"""
_STYLE = ROLE_STYLE + """\
main { display: grid; gap: 1.5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); }
section { border-top: 1px solid #8884; padding-top: .6rem; min-width: 0; }
details, h1 + p, section h2 { color: GrayText; font-size: .85rem; }
section h2 { font-weight: normal; margin: 0 0 .3rem; }
img { display: block; max-width: 100%; border-radius: .3rem; }
.sentence { margin: .5rem 0; font-size: 1.1rem; }
details table { width: 100%; font-size: .85rem; }
details td { padding: .1rem .5rem .1rem 0; }
details td:last-child { text-align: left; }
details td:first-child { text-align: right; width: 4rem; }"""


def write_descriptions(path: str | os.PathLike[str], about: str, roles: Roles,
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
    write_page(path, "Descriptions", f"{about}; {count}. The decoder saw {saw}.",
               f"<main>{clips}</main>", _STYLE)


def write_sentences(path: str | os.PathLike[str], about: str, described: Sequence[Captioned],
                    videos: Sequence[str | None]) -> None:
    """Write a page of videos and sentences without roles; a small copy of each video plays.

    Args:
        path: the file.
        about: what described the videos, and how.
        described: their sentences; those of the first ``CLIPS`` are shown.
        videos: their files or folders of frames, if they are known.

    Raises:
        DataError: it cannot be written.
    """
    shown = described[:CLIPS]
    clips = "\n".join(_section(entry, video) for entry, video in zip(shown, videos, strict=False))
    count = f"{len(described)} videos" + (f", the first {len(shown)} of them here"
                                          if len(shown) < len(described) else "")
    write_page(path, "Descriptions", f"{about}; {count}.", f"<main>{clips}</main>", _STYLE)


def _clip(roles: Roles, number: int, entry: Captioned) -> str:
    video = roles.videos[number]
    return _section(entry, None if video is None else resolve(video, roles.path),
                    role_table(roles, number))


def role_table(roles: Roles, number: int, true: Sequence[str] = ()) -> str:
    """Return the roles of a clip as a table of HTML, for a page with ``ROLE_STYLE``.

    Args:
        roles: of the clips.
        number: the clip's.
        true: the true labels, if they are to be told from those that are wrong.
    """
    rows = "".join(f"<tr><th>{html.escape(slot.name)}</th><td>"
                   f"{_labels(roles, number, k, true[k] if true else None)}</td></tr>"
                   for k, slot in enumerate(roles.slots))
    return f'<table class="roles">{rows}</table>'


def _section(entry: Captioned, video: str | None, below: str = "") -> str:
    """Return a video and its sentence; ``below`` stands between that and all hypotheses."""
    parts = [f"<h2>{html.escape(entry.name)}</h2>"]
    source = None if video is None else moving_picture(video)
    if source is not None:
        parts.append(f'<img src="{source}" alt="">')  # the sentence below says it all
    parts.append(f'<p class="sentence">{html.escape(entry.captions[0][1]) or "(no words)"}</p>')
    parts.append(below)
    ranked = "".join(f"<tr><td>{log_prob:.2f}</td><td>{html.escape(sentence)}</td></tr>"
                     for log_prob, sentence in entry.captions)
    parts.append("<details><summary>log probabilities</summary>"
                 f"<table>{ranked}</table></details>")
    return f"<section>{''.join(parts)}</section>"


def _labels(roles: Roles, number: int, slot: int, true: str | None) -> str:
    """Return the likeliest labels of a slot with their probabilities as bars."""
    labels, chosen = roles.slots[slot].labels, int(roles.labels[number, slot])
    if roles.probabilities is None:
        return f"<b>{html.escape(labels[chosen])}</b>"
    vector = roles.probabilities[number, roles.block(slot)]
    best = [int(i) for i in np.argsort(-vector, kind="stable")[:LABELS] if vector[i] >= _LEAST]
    missed = [] if true is None else [labels.index(true)]
    return "".join(_label(labels[i], vector[i], i == chosen, true)
                   for i in dict.fromkeys([*best, chosen, *missed]))


def _label(label: str, probability: float, is_chosen: bool, true: str | None) -> str:
    mark = ""
    if true is not None and (is_chosen or label == true):
        mark = f' class="{"right" if label == true else "wrong"}"'
    return (f'<div class="label{" chosen" if is_chosen else ""}"><span{mark}>{html.escape(label)}'
            f'</span><span class="track"><i style="width:{min(probability, 1):.0%}"></i></span>'
            f'<span class="number">{probability:.0%}</span></div>')
