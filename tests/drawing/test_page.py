"""The frame of all pages: texts are escaped, nothing is loaded from elsewhere, tables scroll."""
from __future__ import annotations

import re

import pytest

from caffe_lrcn.drawing.page import html_table, page, write_page
from caffe_lrcn.errors import DataError


def test_texts_are_escaped_and_html_is_not():
    text = page("A <title>", "about & more", "<p>body</p>", ".x { color: red; }")
    assert text.count("A &lt;title&gt;") == 2 and "<p>about &amp; more</p>" in text
    assert "\n<p>body</p>\n</body>" in text and ".x { color: red; }\n</style>" in text
    assert "<p></p>" not in page("title", "", "body")


def test_a_page_fits_narrow_and_dark_screens_and_needs_no_other_file():
    text = page("title", "", html_table([["a", "b"], ["c", "<d>"]]))
    assert 'name="viewport" content="width=device-width' in text
    assert "color-scheme: light dark" in text and "prefers-color-scheme: dark" in text
    assert re.findall(r"(?:src|href|url)\s*[=(]", text) == []
    assert '<div class="scroll"><table>' in text
    assert "<td>c</td><td>&lt;d&gt;</td>" in text


def test_characters_that_no_screen_shows_are_spelled(tmp_path):
    write_page(tmp_path / "page.html", "a\x1b[31m", "", "")
    assert "\x1b" not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written(tmp_path):
    with pytest.raises(DataError, match="the page cannot be written"):
        write_page(tmp_path, "title", "", "")
