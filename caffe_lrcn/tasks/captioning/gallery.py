"""Pictures with their captions as one web page that needs no other file."""
from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...errors import DataError
from ...files import new_file
from ...printable import printable_lines

#: Longest side of an embedded picture, in pixels.
SIDE = 320

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif; }}
body {{ margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }}
h1 {{ font-size: 1.4rem; margin-bottom: 0; }}
.about, .name, details {{ color: GrayText; font-size: .85rem; }}
main {{ display: grid; gap: 1.5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); }}
figure {{ margin: 0; }}
img {{ width: 100%; height: 12rem; object-fit: contain; background: #8882; border-radius: .3rem; }}
.caption {{ margin: .3rem 0; overflow-wrap: anywhere; }}
.broken {{ color: #c33; }}
h1, .about {{ overflow-wrap: anywhere; }}
@media (prefers-color-scheme: dark) {{ .broken {{ color: #ff8080; }} }}
.name {{ overflow-wrap: anywhere; }}
td:first-child {{ text-align: right; padding-right: .7em; font-variant-numeric: tabular-nums; }}
td {{ vertical-align: top; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p class="about">{about}</p>
<main>
{figures}
</main>
</body>
</html>
"""


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
    with new_file(path, DataError, "the page") as file:
        file.write(printable_lines(_PAGE.format(
            title=html.escape(title), about=html.escape(about), figures=figures)))


def _figure(entry: Captioned) -> str:
    parts = []
    source = None if entry.picture is None else _data_uri(entry.picture)
    if source is not None:
        parts.append(f'<img src="{source}" alt="">')  # the caption below says it all
    if entry.error:
        parts.append(f'<p class="caption broken">{html.escape(entry.error)}</p>')
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
