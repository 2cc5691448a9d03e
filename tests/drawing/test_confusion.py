"""Pictures of confusion matrices: what stands where, for few and for many classes."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.drawing.canvas import Box, Text
from caffe_lrcn.drawing.confusion import draw_confusion
from caffe_lrcn.drawing.png import as_image
from caffe_lrcn.drawing.svg import as_svg
from caffe_lrcn.errors import ShapeError
from tests.drawing.nets import shapes

MATRIX = np.array([[3, 1, 0], [0, 0, 0], [2, 0, 6]])


def texts(canvas):
    return [text.text for text in shapes(canvas, Text)]


def test_cells_stand_in_the_row_of_their_true_class():
    canvas = draw_confusion(MATRIX, ["run", "<sit>", "jump"], "a title")
    boxes = shapes(canvas, Box)
    xs, ys = (sorted({box.corners[0][axis] for box in boxes}) for axis in (0, 1))
    cells = {(ys.index(box.corners[0][1]), xs.index(box.corners[0][0])) for box in boxes}
    assert cells == {(0, 0), (0, 1), (1, 0), (1, 2)}  # row 1 has no videos, and no cells
    assert ys[1] - ys[0] == 2 * (xs[1] - xs[0])
    numbers = {text.text: text.at for text in shapes(canvas, Text) if text.text.isdigit()}
    assert numbers["2"] == (xs[0] + 17, ys[1] + 17) and numbers["1"] == (xs[1] + 17, ys[0] + 17)
    found = texts(canvas)
    assert {"75%", "-", "a title", "true class", "predicted class"} <= set(found)
    assert found.count("jump") == 2 and found.count("75%") == 2
    assert "&lt;sit&gt;" in as_svg(canvas)


def test_the_diagonal_is_blue_and_errors_are_red():
    canvas = draw_confusion(MATRIX, ["a", "b", "c"])
    image = as_image(canvas)
    for box in shapes(canvas, Box):
        (x, y), (right, bottom) = box.corners[0], box.corners[2]
        red, _, blue = image.getpixel((round(2 * x + 6), round(2 * y + 6)))
        row, column = (round(value) for value in (y, x))
        on_diagonal = row - min(b.corners[0][1] for b in shapes(canvas, Box)) == \
            column - min(b.corners[0][0] for b in shapes(canvas, Box))
        assert (blue > red) == on_diagonal
        assert (right - x, bottom - y) == (34, 34)


def darkness(color):
    return 3 * 255 - sum(int(color[i:i + 2], 16) for i in (1, 3, 5))


def test_larger_shares_are_darker_and_one_video_is_seen():
    matrix = np.array([[40, 1, 2], [0, 1, 0], [0, 0, 1]])
    colors = [box.color for box in shapes(draw_confusion(matrix, "abc"), Box)[:3]]
    assert darkness(colors[0]) > darkness(colors[2]) > darkness(colors[1]) > 50


@pytest.mark.parametrize("count, names, numbers", [(12, 24, True), (101, 202, False),
                                                   (400, 0, False)])
def test_names_fit_for_any_number_of_classes(count, names, numbers):
    canvas = draw_confusion(np.eye(count, dtype=int) * 7, [f"Class{i}" for i in range(count)])
    found = texts(canvas)
    assert sum(text.startswith("Class") for text in found) == names
    assert ("7" in found) == numbers
    assert max(canvas.width, canvas.height) < 1600
    rows = [text for text in shapes(canvas, Text) if text.text.startswith("Class")
            and not text.upright]
    for above, below in zip(rows, rows[1:], strict=False):
        assert below.at[1] - above.at[1] >= above.size  # they do not overlap
    corners = [point for box in shapes(canvas, Box) for point in box.corners]
    assert all(0 <= x <= canvas.width and 0 <= y <= canvas.height for x, y in corners)
    assert all(text.at[0] - 1.2 * text.size * len(text.text) / 2 >= 0 for text in rows)


def test_long_names_and_titles_have_room():
    canvas = draw_confusion(np.eye(2, dtype=int), ["x" * 80, "y"], "a long title " * 9)
    assert max(map(len, (text for text in texts(canvas) if text.startswith("x")))) == 28
    title = next(text for text in shapes(canvas, Text) if text.text.startswith("a long"))
    assert canvas.width > 6 * len(title.text) and title.at[0] == canvas.width / 2


@pytest.mark.parametrize("matrix, names", [(np.eye(3), "ab"), (np.ones((2, 3)), "ab"),
                                           (np.zeros((0, 0)), "")])
def test_what_is_not_a_confusion_matrix_is_refused(matrix, names):
    with pytest.raises(ShapeError, match="a row and a column per class"):
        draw_confusion(matrix, names)
