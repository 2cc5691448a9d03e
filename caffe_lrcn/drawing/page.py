"""The frame of a web page that needs no other file, for narrow and wide, light and dark screens."""
from __future__ import annotations

import html
import os
from collections.abc import Sequence

from ..errors import DataError
from ..files import new_file
from ..printable import printable_lines
from .chart import DARK

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif; }}
body {{ margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }}
h1 {{ font-size: 1.5rem; }} h2 {{ font-size: 1.15rem; margin-top: 2rem; }}
h1, h2, p, figcaption, td, th {{ overflow-wrap: anywhere; }}
figure {{ margin: 0; }} .scroll {{ overflow-x: auto; }} svg {{ max-width: 100%; height: auto; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .2rem .9rem .2rem 0; text-align: right; vertical-align: top;
  font-variant-numeric: tabular-nums; }}
th:first-child, td:first-child {{ text-align: left; }}
thead th {{ border-bottom: 1px solid #8886; }}
.right {{ color: #2a8a4a; }} .wrong {{ color: #c33; }}
@media (prefers-color-scheme: dark) {{
  .right {{ color: #5fc98a; }} .wrong {{ color: #ff8080; }}
  {dark}
}}
{style}
</style>
</head>
<body>
<h1>{title}</h1>
{about}{body}
</body>
</html>
"""


def write_page(path: str | os.PathLike[str], title: str, about: str, body: str,
               style: str = "") -> None:
    """Write a page.

    Args:
        path: the file.
        title, about, body, style: as for ``page``.

    Raises:
        DataError: it cannot be written.
    """
    with new_file(path, DataError, "the page") as file:
        file.write(page(title, about, body, style))


def page(title: str, about: str, body: str, style: str = "") -> str:
    """Return the text of a page.

    Args:
        title: text of the heading and of the window.
        about: text of the paragraph below it, if any.
        body: HTML of the rest.
        style: more rules of CSS.
    """
    return printable_lines(_PAGE.format(
        title=html.escape(title), about=f"<p>{html.escape(about)}</p>\n" if about else "",
        body=body, style=style, dark=DARK))


def html_table(lines: Sequence[Sequence[str]]) -> str:
    """Return rows of texts, the heading first, as a table that scrolls where it is too wide."""
    head, *rows = ([html.escape(cell) for cell in line] for line in lines)
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return (f'<div class="scroll"><table><thead><tr>{top}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>")
