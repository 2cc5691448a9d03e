"""Means, spreads and verdicts against figures made by hand."""
from __future__ import annotations

import pytest

from caffe_lrcn.tasks.reproduction.findings import (
    HOLDS,
    MEAN_ONLY,
    REVERSED,
    UNKNOWN,
    Measured,
    Ordering,
    Table,
    markdown_table,
    ordering_lines,
    text_table,
)
from caffe_lrcn.tasks.reproduction.report import Findings

LOW, HIGH, MIXED, NONE = (Measured(values) for values in
                          ((10.0, 12.0, 11.0), (20.0, 21.0, 25.0), (9.0, 13.0, 12.5), ()))


def test_mean_and_spread():
    assert HIGH.mean == 22 and HIGH.spread == 2.5
    assert [cell.text() for cell in (HIGH, Measured((7.25,)), NONE)] == ["22.0 ± 2.5", "7.2", "–"]


@pytest.mark.parametrize(("better", "worse", "verdict", "difference"), [
    (HIGH, LOW, HOLDS, "+11.0"), (LOW, HIGH, REVERSED, "-11.0"), (MIXED, LOW, MEAN_ONLY, "+0.5"),
    (NONE, LOW, UNKNOWN, "–"), (LOW, NONE, UNKNOWN, "–"), (LOW, LOW, MEAN_ONLY, "+0.0")])
def test_verdicts(better, worse, verdict, difference):
    ordering = Ordering("one before the other", better, worse)
    assert (ordering.verdict, ordering.difference) == (verdict, difference)


def test_tables_as_text_markdown_and_page(tmp_path):
    table = Table("Accuracy <%>", ["RGB", "flow"],
                  [("single frame", [LOW, Measured((1.0,), "67.37")]), ("LRCN", [HIGH, NONE])])
    assert table.lines()[1] == ["single frame", "11.0 ± 1.0", "1.0 (67.37)"]
    assert text_table(table.lines()).splitlines() == [
        "                     RGB         flow",
        "single frame  11.0 ± 1.0  1.0 (67.37)",
        "LRCN          22.0 ± 2.5            –"]
    assert markdown_table(table.lines()).splitlines()[:3] == [
        "|  | RGB | flow |", "|---|---|---|", "| single frame | 11.0 ± 1.0 | 1.0 (67.37) |"]
    orderings = [Ordering("LRCN beats a frame", HIGH, LOW, "+0.83")]
    assert ordering_lines(orderings)[1] == ["LRCN beats a frame", "+11.0", "+0.83", "holds"]
    findings = Findings("Tables & <rows>", "about", [table], orderings)
    assert "Orderings\n" in findings.text()
    page = findings.write(tmp_path).read_text(encoding="utf-8")
    assert "<h1>Tables &amp; &lt;rows&gt;</h1>" in page and "Accuracy &lt;%&gt;" in page
    assert "<td>22.0 ± 2.5</td>" in page and "http" not in page
    assert "| LRCN | 22.0 ± 2.5 | – |" in (tmp_path / "tables.md").read_text(encoding="utf-8")
