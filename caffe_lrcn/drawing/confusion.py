"""Confusion matrices as pictures."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ShapeError
from .canvas import Box, Canvas, Line, Text, font
from .chart import GRID, INK

_RIGHT, _WRONG = (8, 81, 156), (178, 24, 43)  # colours of shares of 1
_ROOM = 1.14   # viewers' fonts are wider than the one that texts are measured with
_LONGEST = 28  # letters of a name
_EDGE, _HEAD, _FOOT = 14, 34, 30
_PERCENT = 44  # width of the accuracies on the right
_NUMBERS = 26  # units of a cell from which on it holds its number
_LABELS = 9    # units of a cell from which on rows and columns have names
_WIDEST = 1300  # units of all cells together, unless they are small enough already


def draw_confusion(matrix: np.ndarray, names: Sequence[str], title: str = "") -> Canvas:
    """Draw a confusion matrix: rows are true classes, columns predicted ones.

    The darker a cell, the larger its share of the row: blue on the diagonal, red elsewhere. With
    few classes the cells hold their counts. On the right stands each class's accuracy.

    Args:
        matrix: (classes, classes) counts.
        names: of the classes.
        title: the line at the top.

    Raises:
        ShapeError: a matrix that is not square, or other names than rows.
    """
    if matrix.shape != (len(names), len(names)) or not len(names):
        raise ShapeError("a confusion matrix has a row and a column per class",
                         got=f"{matrix.shape} for {len(names)} names")
    count = len(names)
    cell = 34 if count <= 24 else max(3, min(24, _WIDEST // count))
    size = min(12, cell - 2)
    labels = [_short(name) if cell >= _LABELS else "" for name in names]
    room = 8 + max(_length(label, size) for label in labels)
    left, top = round(_EDGE + 18 + room), round(_HEAD + 18 + room)
    side = cell * count
    canvas = Canvas(left + side + _PERCENT + _EDGE, top + side + _FOOT, 2, title)
    canvas.shapes += _grid(left, top, side, cell, count)
    canvas.shapes += _cells(matrix, left, top, cell)
    for number, label in enumerate(labels):
        middle = cell * (number + 0.5)
        if label:
            above = top - 6 - _length(label, size) / 2
            canvas.shapes += [
                Text((left - 6, top + middle), label, size, "end", color=INK),
                Text((left + middle, above), label, size, upright=True, color=INK),
                Text((left + side + 6, top + middle), _percent(matrix[number], number), size,
                     "start", color=INK)]
    key = "shade: share of the row"
    key += "; right: accuracy" if cell >= _LABELS else ""
    key += "; numbers: videos" if cell >= _NUMBERS else ""
    canvas.width = max(canvas.width, round(left + _length(key, 11)) + _EDGE,
                       round(_length(title, 14)) + 2 * _EDGE)
    canvas.shapes += [
        Text((canvas.width / 2, 16), title, 14, color=INK),
        Text((left + side / 2, _HEAD + 6), "predicted class", 12, color=INK),
        Text((_EDGE, top + side / 2), "true class", 12, upright=True, color=INK),
        Text((left, top + side + 16), key, 11, "start", color=INK)]
    return canvas


def _grid(left: int, top: int, side: int, cell: int, count: int) -> list[Line]:
    """Return lines between the cells, or between each five of them if they are many."""
    step = 1 if count <= 24 else 5
    places = [cell * number for number in (*range(0, count, step), count)]
    return [line for at in places for line in (
        Line([(left + at, top), (left + at, top + side)], GRID),
        Line([(left, top + at), (left + side, top + at)], GRID))]


def _cells(matrix: np.ndarray, left: int, top: int, cell: int) -> list[Box | Text]:
    shapes: list[Box | Text] = []
    rows = np.maximum(matrix.sum(axis=1), 1)
    for row, column in np.argwhere(matrix):
        share = float(matrix[row, column] / rows[row])
        x, y = left + cell * int(column), top + cell * int(row)
        color = _shade(share, _RIGHT if row == column else _WRONG)
        shapes.append(Box(((x, y), (x + cell, y), (x + cell, y + cell), (x, y + cell)), color,
                          color))
        if cell >= _NUMBERS:
            shapes.append(Text((x + cell / 2, y + cell / 2), str(int(matrix[row, column])), 11,
                               color="white" if share > 0.3 else INK))
    return shapes


def _shade(share: float, full: tuple[int, int, int]) -> str:
    depth = share**0.5  # so that one video of forty is seen
    return "#" + "".join(f"{round(255 + (value - 255) * depth):02x}" for value in full)


def _percent(row: np.ndarray, own: int) -> str:
    return f"{row[own] / row.sum():.0%}" if row.sum() else "-"


def _length(text: str, size: int) -> float:
    return _ROOM * font(size).getlength(text)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[:_LONGEST - 1] + "…"
