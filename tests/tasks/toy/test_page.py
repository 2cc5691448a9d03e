"""The demonstration's page: narrow screens, dark screens, references apart from captions."""
from __future__ import annotations

import re

import pytest
from PIL import Image

from caffe_lrcn.drawing.chart import GRID, INK
from caffe_lrcn.tasks.toy.page import Shown, curve, write_page


@pytest.fixture
def text(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    write_page(tmp_path / "index.html", "about", [["set", "BLEU"], ["seen", "0.5"], ["new", "0.4"]],
               [curve("loss", [(0, 1), (5, 2)])],
               [("Pictures", [Shown(tmp_path / "a.png", "A cap.", True, ["A ref."])])])
    return (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_score_is_a_row_so_that_400_pixels_are_enough(text):
    assert "<tr><th>set</th><th>seen</th><th>new</th></tr>" in text
    assert '<tr><td>BLEU</td><td>0.5</td><td>0.4</td></tr>' in text


def test_charts_are_dark_on_dark_screens(text):
    dark = text[text.index("prefers-color-scheme: dark"):text.index("</style>")]
    assert "svg > rect { fill:" in dark and "svg text { fill:" in dark
    for color in (GRID, INK):
        assert f'polyline[stroke="{color}"]' in dark and f'stroke="{color}"' in \
            text[text.index("<svg"):]
    assert '<rect width="100%" height="100%" fill="white"/>' in text  # what the rule replaces


def test_references_are_told_apart_and_nothing_lies_outside(text):
    assert '<p class="references"><b>what the data say</b>A ref.</p>' in text
    assert all(source.startswith("data:") for source in re.findall(r'(?:src|href)="([^"]*)', text))
