"""From boxes and arrows to a canvas: what stands where, in units."""
from __future__ import annotations

from collections import Counter

from .canvas import Arrow, Box, Canvas, Curve, Point, Text, font
from .graph import Graph, Node
from .layout import lay_out

FONT_SIZE = 12
_SMALL = FONT_SIZE - 2
LINE_HEIGHT = 16
_PADDING = (10, 5)  # beside and over the text of a cell
#: Viewers use fonts of their own, some wider than the one that texts are measured with.
_ROOM = 1.14
_LEAST_ROOM = 14.0
#: Pixels a unit: twice the resolution that SVG viewers show.
_SCALE = 2


def make_picture(graph: Graph, rankdir: str = "TB") -> Canvas:
    """Lay a graph out and draw it: arrows, boxes, labels at arrows, other texts.

    Args:
        graph: boxes and arrows.
        rankdir: where arrows point: ``TB``, ``BT``, ``LR`` or ``RL``.
    """
    sideways = rankdir in ("LR", "RL")
    rooms = _rooms(graph, sideways)
    sizes = [_size(node) for node in graph.nodes]
    arrows = [(edge.source, edge.target) for edge in graph.edges]
    if not sideways:  # labels at arrowheads want boxes as wide as all of them
        arriving = Counter(target for _, target in arrows)
        sizes = [(max(size[0], room * arriving[node]), size[1])
                 for node, (size, room) in enumerate(zip(sizes, rooms, strict=True))]
    layout = lay_out(sizes, arrows, rankdir, rooms)
    boxes: list[Box] = []
    texts: list[Text] = []
    for node, centre, size in zip(graph.nodes, layout.centres, sizes, strict=True):
        _draw_node(node, centre, size, boxes, texts)
    labels: list[Text] = []
    named: set[tuple[int, str]] = set()
    for edge, route in zip(graph.edges, layout.routes, strict=True):
        if edge.label and (edge.source, edge.label) not in named:
            named.add((edge.source, edge.label))
            labels.append(_beside(route[0][0], route, edge.label, rankdir, at_tail=True))
        if edge.role:
            labels.append(_beside(route[-1][3], route, edge.role, rankdir, at_tail=False))
    return Canvas(round(layout.width), round(layout.height), _SCALE, graph.name,
                  [*map(Arrow, layout.routes), *boxes, *labels, *texts])


def _size(node: Node) -> Point:
    width = max(font(FONT_SIZE).getlength(line) for cell in node.cells for line in cell.lines)
    height = sum(LINE_HEIGHT * len(cell.lines) + 2 * _PADDING[1] for cell in node.cells)
    return width * _ROOM + 2 * _PADDING[0], height


def _rooms(graph: Graph, sideways: bool) -> list[float]:
    """Return how far apart arrows must arrive at each node, so that their labels fit."""
    rooms = [_LEAST_ROOM] * len(graph.nodes)
    for edge in graph.edges:
        if edge.role and not sideways:
            width = font(_SMALL).getlength(edge.role) * _ROOM + 10
            rooms[edge.target] = max(rooms[edge.target], width)
    return rooms


def _draw_node(node: Node, centre: Point, size: Point, boxes: list[Box],
               texts: list[Text]) -> None:
    left, right = centre[0] - size[0] / 2, centre[0] + size[0] / 2
    y = centre[1] - size[1] / 2
    for cell in node.cells:
        height = LINE_HEIGHT * len(cell.lines) + 2 * _PADDING[1]
        corners: tuple[Point, ...] = ((left, y), (right, y), (right, y + height),
                                      (left, y + height))
        if node.is_blob:
            cut = height / 3.5
            corners = ((left + cut, y), (right - cut, y), (right, y + cut),
                       (right, y + height - cut), (right - cut, y + height),
                       (left + cut, y + height), (left, y + height - cut), (left, y + cut))
        boxes.append(Box(corners, cell.color))
        for index, line in enumerate(cell.lines):
            at = (centre[0], y + _PADDING[1] + LINE_HEIGHT * (index + 0.5))
            texts.append(Text(at, line, FONT_SIZE, bold=not index and not node.is_blob))
        y += height


def _beside(end: Point, route: list[Curve], label: str, rankdir: str, *, at_tail: bool) -> Text:
    """Return a label beside an end of an arrow, on the side that the arrow does not turn to."""
    away = 9 if at_tail else 15
    sign = 1 if (rankdir in ("TB", "LR")) == at_tail else -1
    if rankdir in ("LR", "RL"):
        width = font(_SMALL).getlength(label)
        x = end[0] + 4 if sign > 0 else end[0] - 8 - width
        return Text((x, end[1] - 7), label, _SMALL, "start", halo=True)
    turns_right = route[-1][3][0] > route[0][0][0]
    if at_tail:
        width = font(_SMALL).getlength(label) * _ROOM
        x = end[0] - 4 - width if turns_right else end[0] + 4
    else:
        x = end[0] + 3
    return Text((x, end[1] + sign * away), label, _SMALL, "start", halo=True)
