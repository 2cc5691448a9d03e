"""docs/differences.md: nothing that the code marks as an oddity is missing, and no file is."""
from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "caffe_lrcn"
TEXT = (ROOT / "docs" / "differences.md").read_text(encoding="utf-8")
TAG = "CAFFE-QUIRK"
SOURCES = (".py", ".cu", ".cuh")


def rows() -> list[list[str]]:
    """Return the cells of all table rows below their headers."""
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")]
             for line in TEXT.splitlines() if line.startswith("| ")]
    return [row for row in cells if row[-1] not in ("Where", "Where |")]


def test_every_tag_has_a_row():
    named = [file for row in rows() for file in re.findall(r"`([\w/.]+)`", row[-1])]
    missing = []
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in SOURCES:
            tags = path.read_text(encoding="utf-8").count(TAG)
            name = path.relative_to(PACKAGE).as_posix()
            if tags > named.count(name):
                missing.append(f"{name}: {tags} tags, {named.count(name)} rows")
    assert not missing


def test_every_row_is_complete_and_names_files_that_exist():
    assert len(rows()) > 80
    for row in rows():
        assert len(row) == 3 and all(row), row
        files = re.findall(r"`([\w/.]+)`", row[2])
        assert files and all((PACKAGE / file).is_file() for file in files), row


def test_what_can_be_switched_is_switched_in_the_code():
    """A row that promises a strict mode names a file that asks for it."""
    for row in rows():
        if "Strict:" in row[1]:
            files = re.findall(r"`([\w/.]+)`", row[2])
            assert any("strict" in (PACKAGE / file).read_text(encoding="utf-8").replace(
                "strict=True", "") for file in files), row
