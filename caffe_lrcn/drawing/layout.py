"""Coordinates of a layered drawing: places of boxes and the curves between them."""
from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .canvas import Curve, Point
from .layers import EXACT, Layers, minimise

_PORT_DISTANCE = 14.0
# Of pieces between two nodes, to or from a bend, between bends: long arrows should be straight.
_WEIGHTS = (1.0, 2.0, 8.0)
_SWEEPS = 4  # over a large drawing


@dataclass(frozen=True)
class Spacing:
    """Distances in the unit of the boxes: beside each other, between ranks, around the drawing."""

    beside: float = 24.0
    bend: float = 14.0
    between: float = 38.0
    margin: float = 16.0


@dataclass
class Layout:
    """Centres of boxes, and for each arrow the cubic curves and straight lines that it is made of.

    A straight line is a curve whose inner points lie on it.
    """

    centres: list[Point]
    routes: list[list[Curve]]
    width: float
    height: float


def lay_out(sizes: Sequence[Point], edges: Sequence[tuple[int, int]], rankdir: str = "TB",
            rooms: Sequence[float] | None = None, spacing: Spacing | None = None) -> Layout:
    """Place boxes so that arrows point one way and none runs through a box.

    Args:
        sizes: width and height of each box.
        edges: source and target of each arrow; sources come before targets.
        rankdir: where arrows point: ``TB`` (down), ``BT``, ``LR``, ``RL``.
        rooms: least distance between arrows that arrive at each box.
        spacing: all other distances.
    """
    spacing = spacing or Spacing()
    sideways = rankdir in ("LR", "RL")
    turned = [(height, width) for width, height in sizes] if sideways else list(sizes)
    layers = Layers(len(sizes), edges)
    widths = [width for width, _ in turned]
    arriving = Counter(target for _, target in edges)
    limits = [min(room, width / (arriving[node] + 0.5)) for node, (room, width) in enumerate(
        zip(rooms or [_PORT_DISTANCE] * len(sizes), widths, strict=True))]
    ports = port_offsets(layers, limits)
    across = place_across(layers, widths, ports, spacing)
    tops, bottoms, length = _rank_bounds(layers, [height for _, height in turned], spacing)
    centres = [(across[item], (tops[layers.rank[item]] + bottoms[layers.rank[item]]) / 2)
               for item in range(len(sizes))]
    routes = [_route(layers, path, port, across, centres, turned, tops, bottoms)
              for path, port in zip(layers.paths, ports, strict=True)]
    width = max((across[item] + turned[item][0] / 2 for item in range(len(sizes))), default=0.0)
    width = max([width, *across]) + spacing.margin
    return _turned(Layout(centres, routes, width, length), rankdir)


def place_across(layers: Layers, widths: Sequence[float], ports: Sequence[float],
                 spacing: Spacing) -> list[float]:
    """Return the coordinate across the ranks of each node and bend.

    The sum of all sideways ways of arrows, long arrows counting more, is the least that the order
    and the distances allow; so most arrows are straight. Large drawings are placed in linear time.

    Source: Gansner, Koutsofios, North and Vo, "A technique for drawing directed graphs".
    """
    size = len(layers.rank)
    half = [width / 2 for width in widths] + [0.0] * (size - len(widths))
    steps = [[half[a] + half[b] + (spacing.bend if max(a, b) >= layers.count else spacing.beside)
              for a, b in zip(row, row[1:], strict=False)] for row in layers.rows]
    pieces = _pieces(layers, ports)
    place = _place_fairly if size > EXACT else _place_best
    at = place(layers, steps, pieces)
    left = min((at[item] - half[item] for item in range(size)), default=0.0)
    return [place - left + spacing.margin for place in at]


def _place_best(layers: Layers, steps: Sequence[Sequence[float]],
                pieces: Mapping[tuple[int, int], float]) -> list[float]:
    """Return the coordinates for which the sideways ways are least.

    Args:
        layers: ranks and order.
        steps: the least distances from item to item of each rank.
        pieces: as ``_pieces`` returns them.
    """
    size = len(layers.rank)
    cost = [0.0] * size
    least = [(a, b, step) for row, between in zip(layers.rows, steps, strict=True)
             for a, b, step in zip(row, row[1:], between, strict=False)]
    for (upper, lower), shift in pieces.items():
        weight = _WEIGHTS[(upper >= layers.count) + (lower >= layers.count)]
        # A number that is at most both ends' coordinates: at best the lesser of them, so that the
        # two differences add up to the way between the ends.
        cost.append(-2 * weight)
        cost[upper] += weight
        cost[lower] += weight
        least += [(len(cost) - 1, upper, 0.0), (len(cost) - 1, lower, -shift)]
    return minimise(cost, least)[:size]


def _place_fairly(layers: Layers, steps: Sequence[Sequence[float]],
                  pieces: Mapping[tuple[int, int], float]) -> list[float]:
    """Return coordinates near those of the neighbours, in sweeps up and down the ranks.

    An item that is alone in its rank stays in the middle, so a long drawing does not drift aside.

    Args:
        layers, steps, pieces: as for ``_place_best``.
    """
    offsets = [list(itertools.accumulate(between, initial=0.0)) for between in steps]
    at = [0.0] * len(layers.rank)
    for row, places in zip(layers.rows, offsets, strict=True):
        for item, place in zip(row, places, strict=True):
            at[item] = place - places[-1] / 2
    wide = [pair for pair in zip(layers.rows, offsets, strict=True) if len(pair[0]) > 1]
    for sweep in range(_SWEEPS):
        upwards = sweep % 2 == 0
        for row, places in reversed(wide) if upwards else wide:
            if upwards:
                wanted = [[at[other] + pieces[item, other]
                           for other in layers.below[item]] for item in row]
            else:
                wanted = [[at[other] - pieces[other, item] for other in layers.above[item]]
                          for item in row]
            middles = [sum(near) / len(near) if near else at[item]
                       for item, near in zip(row, wanted, strict=True)]
            for item, place in zip(row, _apart(middles, places), strict=True):
                at[item] = place
    return at


def _apart(wanted: Sequence[float], offsets: Sequence[float]) -> list[float]:
    """Return the places nearest to the wanted ones (least squares) that keep their distances.

    Args:
        wanted: places in order.
        offsets: where each would stand if all were as close as they may be.

    Source: Barlow et al., "Statistical inference under order restrictions" (pooling of adjacent
    violators).
    """
    pools: list[tuple[float, int]] = []  # sum of places less offsets, how many
    for place, offset in zip(wanted, offsets, strict=True):
        total, count = place - offset, 1
        while pools and pools[-1][0] * count >= total * pools[-1][1]:
            before = pools.pop()
            total, count = total + before[0], count + before[1]
        pools.append((total, count))
    moved = (total / count for total, count in pools for _ in range(count))
    return [start + offset for start, offset in zip(moved, offsets, strict=True)]


def _pieces(layers: Layers, ports: Sequence[float]) -> dict[tuple[int, int], float]:
    """Return the pieces of all arrows, and how far from the lower end's middle each arrives."""
    pieces = {}
    for path, port in zip(layers.paths, ports, strict=True):
        pieces.update(dict.fromkeys(zip(path, path[1:], strict=False), 0.0))
        pieces[path[-2], path[-1]] = port
    return pieces


def _rank_bounds(layers: Layers, heights: Sequence[float],
                 spacing: Spacing) -> tuple[list[float], list[float], float]:
    """Return where each rank begins and ends, and where the drawing ends."""
    tops, bottoms, at = [], [], spacing.margin
    for row in layers.rows:
        tops.append(at)
        at += max((heights[item] for item in row if item < layers.count), default=0.0)
        bottoms.append(at)
        at += spacing.between
    return tops, bottoms, (bottoms[-1] if bottoms else 0.0) + spacing.margin


def port_offsets(layers: Layers, rooms: Sequence[float]) -> list[float]:
    """Return how far from its target's middle each arrow arrives: side by side, as they come.

    Args:
        layers: the arrows.
        rooms: how much room the arrows to each node leave between them.
    """
    place = layers.places()
    arriving: dict[int, list[int]] = {}
    for index, path in enumerate(layers.paths):
        arriving.setdefault(path[-1], []).append(index)
    ports = [0.0] * len(layers.paths)
    for node, indices in arriving.items():
        indices.sort(key=lambda index: place[layers.paths[index][-2]])
        for position, index in enumerate(indices):
            ports[index] = rooms[node] * (position - (len(indices) - 1) / 2)
    return ports


def _route(layers: Layers, path: Sequence[int], port: float, across: Sequence[float],
           centres: Sequence[Point], sizes: Sequence[Point], tops: Sequence[float],
           bottoms: Sequence[float]) -> list[Curve]:
    source, target = path[0], path[-1]
    x, y = across[source], bottoms[layers.rank[source]]
    route = [_line((x, centres[source][1] + sizes[source][1] / 2), (x, y))]
    for item in path[1:]:
        rank = layers.rank[item]
        to = across[item] + (port if item == target else 0)
        middle = (y + tops[rank]) / 2
        route.append(((x, y), (x, middle), (to, middle), (to, tops[rank])))
        end = centres[target][1] - sizes[target][1] / 2 if item == target else bottoms[rank]
        route.append(_line((to, tops[rank]), (to, end)))
        x, y = to, end
    return [curve for curve in route if curve[0] != curve[3]]


def _line(start: Point, end: Point) -> Curve:
    return start, start, end, end


def _turned(layout: Layout, rankdir: str) -> Layout:
    """Return the drawing with its arrows pointing as ``rankdir`` says, not down."""
    length = layout.height

    def turn(point: Point) -> Point:
        along = length - point[1] if rankdir in ("BT", "RL") else point[1]
        return (along, point[0]) if rankdir in ("LR", "RL") else (point[0], along)

    size = (layout.width, layout.height)
    if rankdir in ("LR", "RL"):
        size = size[::-1]
    return Layout([turn(point) for point in layout.centres],
                  [[(turn(a), turn(b), turn(c), turn(d)) for a, b, c, d in route]
                   for route in layout.routes], *size)
