"""Charts: points lie where their numbers say, and SVG and PNG show the same."""
from __future__ import annotations

import math

import pytest

from caffe_lrcn.drawing.canvas import Line, Text
from caffe_lrcn.drawing.chart import Chart, Curve, draw_chart, ticks
from caffe_lrcn.drawing.png import as_image
from caffe_lrcn.drawing.svg import as_svg
from tests.drawing.nets import shapes


def test_points_lie_where_their_numbers_say():
    chart = Chart("t", "x", "y", [Curve("<a>", [(0, 0), (5, math.nan), (10, 4), (5, 2)])])
    curve = next(shape for shape in draw_chart(chart).shapes if getattr(shape, "width", 0) == 2)
    (x0, y0), (x1, y1), middle = curve.points
    assert (x0, y0) == (90, 530) and (x1, y1) == (870, 50)
    assert middle == ((x0 + x1) / 2, (y0 + y1) / 2)
    assert "&lt;a&gt;" in as_svg(draw_chart(chart))


@pytest.mark.parametrize("values", [[], [3.0], [0.0, 0.0], [-1e-9, 1e9], [0.1, 0.9], [-5, -4]])
def test_ticks_enclose_the_values(values):
    found = ticks(values)
    assert 2 <= len(found) <= 8
    assert all(found[0] <= value <= found[-1] for value in values)


def test_a_picture_has_ink_where_the_words_and_lines_are():
    chart = Chart("title", "across", "up", [Curve("curve", [(0, 0), (1, 1)])])
    canvas = draw_chart(chart)
    image = as_image(canvas)
    assert image.size == (canvas.width, canvas.height) == chart.size
    for text in shapes(canvas, Text):
        x, y = text.at
        left, top = {"start": x, "middle": x - 8, "end": x - 16}[text.anchor], y - 8
        assert len(image.crop((left, top, left + 16, top + 16)).getcolors()) > 2, text
    for line in shapes(canvas, Line):
        (x0, y0), (x1, y1) = line.points[:2]
        middle = ((x0 + x1) // 2, (y0 + y1) // 2)
        colors = image.crop((middle[0] - 2, middle[1] - 2, middle[0] + 3, middle[1] + 3)
                            ).getcolors()
        assert any(max(color) < 240 for _, color in colors), line
