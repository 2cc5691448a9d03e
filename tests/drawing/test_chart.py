"""Charts: points lie where their numbers say, and SVG and PNG show the same."""
from __future__ import annotations

import math

import pytest

from caffe_lrcn.drawing.canvas import Box, Line, Text
from caffe_lrcn.drawing.chart import Chart, Curve, draw_chart, draw_charts, ticks
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


def test_the_axis_ends_where_the_data_end():
    canvas = draw_chart(Chart("t", "x", "y", [Curve("", [(3, 0), (28, 1)])]))
    curve = next(line for line in shapes(canvas, Line) if line.width == 2)
    assert [x for x, _ in curve.points] == [90, 870]
    below = [text.text for text in shapes(canvas, Text) if text.at[1] == 545]
    assert below == ["5", "10", "15", "20", "25"]


def test_few_points_have_marks():
    def marks(count):
        points = [(float(i), 0.5) for i in range(count)]
        return shapes(draw_chart(Chart("t", "x", "y", [Curve("one", points)])), Box)

    assert [len(marks(count)) for count in (0, 1, 10, 11)] == [0, 1, 10, 0]
    (mark,) = marks(1)
    assert sum(x for x, _ in mark.corners) / 4 == (90 + 870) / 2


def test_the_legend_is_above_the_axes():
    names = [f"a rather long name {i}" for i in range(9)]
    canvas = draw_chart(Chart("t", "x", "y", [Curve(name, [(0, 0), (1, 1)]) for name in names]))
    curves = [line for line in shapes(canvas, Line) if line.width == 2 and len(line.points) == 2]
    top = min(y for line in shapes(canvas, Line) if line.width == 1 for _, y in line.points)
    written = {text.text: text.at for text in shapes(canvas, Text)}
    assert len(curves) == 18
    assert len({written[name][1] for name in names}) == 3  # rows
    assert all(written[name][1] < top and written[name][0] < 870 for name in names)


def test_charts_one_below_the_other():
    charts = [Chart(title, "x", "y", [Curve("", [(0, 0), (1, 1)])], (300, 200)) for title in "abc"]
    page = draw_charts(charts)
    assert (page.width, page.height) == (300, 600)
    titles = [text.at[1] for text in shapes(page, Text) if text.text in "abc"]
    assert titles == [15, 215, 415]
    assert as_image(page).size == (600, 1200)
