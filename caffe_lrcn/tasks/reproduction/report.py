"""What a reproduction found, as text, as Markdown and as a page."""
from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...drawing.page import html_table, write_page
from ...errors import DataError
from ...files import new_file
from .findings import Ordering, Table, markdown_table, ordering_lines, text_table

PAGE, MARKDOWN = "index.html", "tables.md"


@dataclass(frozen=True)
class Findings:
    """Everything that is shown.

    Args:
        title: of the page.
        about: a paragraph: what was run, and what the figures are.
        tables: the measured figures.
        orderings: the claims.
    """

    title: str
    about: str
    tables: Sequence[Table]
    orderings: Sequence[Ordering]

    def parts(self) -> list[tuple[str, list[list[str]]]]:
        """Return (heading, rows) of each table and of the orderings."""
        return [*((table.title, table.lines()) for table in self.tables),
                ("Orderings", ordering_lines(self.orderings))]

    def text(self) -> str:
        """Return all tables as text."""
        return "\n\n".join(f"{title}\n{text_table(lines)}" for title, lines in self.parts())

    def write(self, out: Path) -> Path:
        """Write ``OUT/index.html`` and ``OUT/tables.md``; return the page's path.

        Raises:
            DataError: a file cannot be written.
        """
        with new_file(out / MARKDOWN, DataError, "the tables") as file:
            file.write("\n\n".join(f"**{title}**\n\n{markdown_table(lines)}"
                                   for title, lines in self.parts()) + "\n")
        body = "\n".join(f"<h2>{html.escape(title)}</h2>{html_table(lines)}"
                         for title, lines in self.parts())
        write_page(out / PAGE, self.title, self.about, body)
        return out / PAGE
