"""Pictures with their captions as one web page that needs no other file."""
from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...drawing.page import write_page
from ...errors import DataError

#: Longest side of an embedded picture, in pixels.
SIDE = 320

_STYLE = """.name, details, h1 + p { color: GrayText; font-size: .85rem; }
main { display: grid; gap: 1.5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); }
img { width: 100%; height: 12rem; object-fit: contain; background: #8882; border-radius: .3rem; }
.caption { margin: .3rem 0; overflow-wrap: anywhere; } .name { overflow-wrap: anywhere; }
td:first-child { text-align: right; padding-right: .7em; } td:last-child { text-align: left; }"""


@dataclass(frozen=True)
class Captioned:
    """A picture with its captions.

    Args:
        name: what it is called: its file, or the row of its features.
        picture: its file, if it has one to show; left out if it cannot be read.
        captions: (log probability, sentence), best first.
        error: why there are no captions.
    """

    name: str
    picture: str | None = None
    captions: Sequence[tuple[float, str]] = ()
    error: str = ""


def write_gallery(path: str | os.PathLike[str], title: str, about: str,
                  entries: Iterable[Captioned]) -> None:
    """Write the page; pictures are scaled down to ``SIDE`` pixels and embedded.

    Args:
        path: the file.
        title: heading.
        about: a line below it.
        entries: the pictures in order.

    Raises:
        DataError: it cannot be written.
    """
    figures = "\n".join(map(_figure, entries))
    write_page(path, title, about, f"<main>{figures}</main>", _STYLE)


def _figure(entry: Captioned) -> str:
    parts = []
    source = None if entry.picture is None else _data_uri(entry.picture)
    if source is not None:
        parts.append(f'<img src="{source}" alt="">')  # the caption below says it all
    if entry.error:
        parts.append(f'<p class="caption wrong">{html.escape(entry.error)}</p>')
    elif entry.captions:
        parts.append(f'<p class="caption">{html.escape(entry.captions[0][1]) or "(no words)"}</p>')
    parts.append(f'<div class="name">{html.escape(entry.name)}</div>')
    if entry.captions:
        rows = "".join(f"<tr><td>{log_prob:.2f}</td><td>{html.escape(sentence)}</td></tr>"
                       for log_prob, sentence in entry.captions)
        parts.append("<details><summary>log probabilities</summary>"
                     f"<table>{rows}</table></details>")
    return f"<figure>{''.join(parts)}</figure>"


def _data_uri(path: str) -> str | None:
    """Return a picture for a page; None if it cannot be read."""
    from PIL import ImageOps

    from ...sources.picture_file import open_picture
    memory = io.BytesIO()
    try:
        with open_picture(path) as picture:
            small = ImageOps.exif_transpose(picture).convert("RGB")
            small.thumbnail((SIDE, SIDE))
            small.save(memory, "JPEG", quality=80)
    except DataError:
        return None
    return "data:image/jpeg;base64," + base64.b64encode(memory.getvalue()).decode()
