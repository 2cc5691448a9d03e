"""Draw a net with Unicode box characters, arrows pointing down."""
from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from .graph import Graph, Node
from .layers import Layers
from .layout import Spacing, place_across, port_offsets

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
# Lines that leave a cell -> the character.
_LINES = {_UP: "│", _DOWN: "│", _UP | _DOWN: "│", _LEFT: "─", _RIGHT: "─", _LEFT | _RIGHT: "─",
          _DOWN | _RIGHT: "┌", _DOWN | _LEFT: "┐", _UP | _RIGHT: "└", _UP | _LEFT: "┘",
          _UP | _DOWN | _RIGHT: "├", _UP | _DOWN | _LEFT: "┤", _DOWN | _LEFT | _RIGHT: "┬",
          _UP | _LEFT | _RIGHT: "┴", _UP | _DOWN | _LEFT | _RIGHT: "┼"}
# Distances between middles, in columns; boxes count as one column narrower than they are.
_SPACING = Spacing(beside=4, bend=3, margin=0)


class _Canvas:
    """Lines and characters by column and row."""

    def __init__(self) -> None:
        self.lines: dict[tuple[int, int], int] = defaultdict(int)
        self.letters: dict[tuple[int, int], str] = {}

    def down(self, x: int, top: int, bottom: int) -> None:
        """Draw a line from the middle of a cell to the middle of one below it."""
        for y in range(top, bottom):
            self.lines[x, y] |= _DOWN
            self.lines[x, y + 1] |= _UP

    def across(self, y: int, left: int, right: int) -> None:
        """Draw a line from the middle of a cell to the middle of one right of it."""
        for x in range(left, right):
            self.lines[x, y] |= _RIGHT
            self.lines[x + 1, y] |= _LEFT

    def write(self, x: int, y: int, text: str) -> None:
        """Write over whatever is there."""
        for position, letter in enumerate(text):
            self.letters[x + position, y] = letter

    def text(self) -> str:
        """Return all rows."""
        rows: dict[int, dict[int, str]] = defaultdict(dict)
        for (x, y), mask in self.lines.items():
            if mask:
                rows[y][x] = _LINES[mask]
        for (x, y), letter in self.letters.items():
            rows[y][x] = letter
        return "".join(f"{_joined(rows[y])}\n" for y in range(max(rows, default=-1) + 1))


def _joined(cells: dict[int, str]) -> str:
    """Return a row of characters by column."""
    return "".join(cells.get(x, " ") for x in range(max(cells, default=-1) + 1)).rstrip()


def as_boxes(graph: Graph) -> str:
    """Return a drawing of a graph in characters."""
    texts = [_lines(node) for node in graph.nodes]
    roles: dict[int, list[int]] = defaultdict(list)
    for edge in graph.edges:
        roles[edge.target].append(len(edge.role))
    # Even numbers, so that all arrows arrive in whole columns.
    rooms = [(max(roles[node], default=0) + 3) // 2 * 2 for node in range(len(graph.nodes))]
    widths = [_width(lines, graph.nodes[node].is_blob, rooms[node] * len(roles[node]))
              for node, lines in enumerate(texts)]
    layers = Layers(len(widths), [(edge.source, edge.target) for edge in graph.edges])
    ports = [round(port) for port in port_offsets(layers, rooms)]
    columns = [math.floor(place + 0.5) for place in place_across(
        layers, [width - 1 for width in widths], ports, _SPACING)]
    gaps = _gaps(graph, layers, columns, ports)
    canvas, y = _Canvas(), 0
    for rank, row in enumerate(layers.rows):
        bottom = y + max(_height(graph, item, texts) if item < layers.count else 1
                         for item in row) - 1
        for item in row:
            if item >= layers.count:
                canvas.down(columns[item], y - 1, bottom + 1)
                continue
            end = _draw(canvas, graph.nodes[item], texts[item], columns[item], widths[item], y)
            if layers.below[item]:
                canvas.down(columns[item], end, bottom + 1)
        y = bottom + 1
        if rank + 1 < len(layers.rows):
            y = _connect(canvas, gaps[rank], columns, y)
    return canvas.text()


def _lines(node: Node) -> list[list[str]]:
    """Return the lines of each cell; name and type share one."""
    return [[" ".join(cell.lines[:2]), *cell.lines[2:]] for cell in node.cells]


def _width(cells: list[list[str]], is_blob: bool, least: int) -> int:
    """Return an odd number of columns, so that a box has a middle one."""
    width = max(len(line) for lines in cells for line in lines) + (2 if is_blob else 4)
    return max(width, least) | 1


def _height(graph: Graph, item: int, texts: list[list[list[str]]]) -> int:
    cells = texts[item]
    return 1 if graph.nodes[item].is_blob else sum(map(len, cells)) + len(cells) + 1


def _draw(canvas: _Canvas, node: Node, cells: list[list[str]], middle: int, width: int,
          y: int) -> int:
    """Draw a node from row ``y`` on; return its last row."""
    left = middle - width // 2
    if node.is_blob:
        canvas.write(left, y, f"({cells[0][0]})".center(width))
        return y
    edges = ["┌┐", *["├┤"] * (len(cells) - 1)]
    for lines, corners in zip(cells, edges, strict=True):
        canvas.write(left, y, corners[0] + "─" * (width - 2) + corners[1])
        for line in lines:
            y += 1
            canvas.write(left, y, f"│{line.center(width - 2)}│")
        y += 1
    canvas.write(left, y, "└" + "─" * (width - 2) + "┘")
    return y


@dataclass
class _Gap:
    """What runs between two ranks: the columns that arrows from each node or bend go to.

    ``heads`` holds the columns in which arrows arrive at nodes, with their roles.
    """

    ends: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    heads: dict[int, str] = field(default_factory=dict)


def _gaps(graph: Graph, layers: Layers, columns: list[int], ports: list[int]) -> list[_Gap]:
    """Return what runs below each rank."""
    gaps = [_Gap() for _ in layers.rows]
    for edge, path, port in zip(graph.edges, layers.paths, ports, strict=True):
        for upper, lower in zip(path, path[1:], strict=False):
            gap = gaps[layers.rank[upper]]
            column = columns[lower] + (port if lower < layers.count else 0)
            gap.ends[upper].add(column)
            if lower < layers.count:
                gap.heads[column] = edge.role
    return gaps


def _connect(canvas: _Canvas, gap: _Gap, columns: list[int], top: int) -> int:
    """Draw the arrows between two ranks from row ``top`` on; return the first row after them."""
    tracks = _tracks({columns[upper]: found for upper, found in gap.ends.items()})
    bottom = top + max(tracks.values(), default=-1) + 1
    for upper, found in gap.ends.items():
        start = columns[upper]
        row = top + tracks.get(start, 0)
        canvas.down(start, top - 1, row)
        canvas.across(row, min(start, *found), max(start, *found))
        for column in found:
            canvas.down(column, row, bottom)
    for column, role in gap.heads.items():
        canvas.write(column, bottom, "▼" + role)
    return bottom + 1


def _tracks(ends: dict[int, set[int]]) -> dict[int, int]:
    """Return the row for the horizontal line of each bundle of arrows that is not straight.

    Args:
        ends: the columns that the arrows from a column go to.

    A bundle that starts in the column where another ends must turn away above that one, or the
    two would run into each other; lines in one row must not meet.
    """
    bent = {start: found for start, found in ends.items() if found != {start}}
    rows: dict[int, int] = {}
    spans: list[list[tuple[int, int]]] = []
    for start in _from_below(bent):
        low, high = min(start, *bent[start]), max(start, *bent[start])
        row = max((rows[other] + 1 for other in bent[start] if other in rows), default=0)
        while row < len(spans) and _meets(low, high, spans[row]):
            row += 1
        while row >= len(spans):
            spans.append([])
        insort(spans[row], (low, high))
        rows[start] = row
    return rows


def _from_below(bent: dict[int, set[int]]) -> Iterator[int]:
    """Yield from the left on; a bundle comes after those that start where it ends, if it can."""
    later = {start: {other for other in found if other != start and other in bent}
             for start, found in bent.items()}
    before: dict[int, list[int]] = defaultdict(list)
    for start, others in later.items():
        for other in others:
            before[other].append(start)
    free = [start for start in bent if not later[start]]
    heapify(free)
    waiting, done = iter(sorted(bent)), set[int]()
    while len(done) < len(bent):
        start = heappop(free) if free else next(one for one in waiting if one not in done)
        if start in done:
            continue
        done.add(start)
        yield start
        for other in before[start]:
            later[other].discard(start)
            if not later[other]:
                heappush(free, other)


def _meets(low: int, high: int, spans: list[tuple[int, int]]) -> bool:
    """Tell whether a span touches one of others, which are in order and apart."""
    last = bisect_right(spans, high + 1, key=lambda span: span[0]) - 1
    return last >= 0 and low <= spans[last][1] + 1
