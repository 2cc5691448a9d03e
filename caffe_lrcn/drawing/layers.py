"""Ranks and order of a layered drawing.

Ranks are chosen so that arrows are short. Arrows that pass ranks get a bend in each of them; all
arrows from one node share their bends. Within a rank the order follows the barycentres of
neighbours, sweep after sweep, and the one with fewest crossings is kept. Large drawings, whose best
ranks would take minutes, get good ones in linear time, and fewer sweeps.

Source: Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system
structures".
"""
from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence

#: Nodes and bends up to which places are the best there are.
EXACT = 4000
_SWEEPS = 16
_SWEPT = 80_000  # nodes and bends, those of all sweeps together, in a large drawing


class Layers:
    """Ranks of nodes and bends, each rank in order.

    Args:
        count: how many nodes there are; bends get the numbers from there on.
        edges: source and target of each arrow, the source's number below the target's.

    ``rank`` gives the rank of each node and bend, ``rows`` their order in each rank, ``paths`` the
    nodes and bends that each arrow goes through; ``above`` and ``below`` hold their neighbours.
    """

    def __init__(self, count: int, edges: Sequence[tuple[int, int]]) -> None:
        self.count = count
        self.rank = _ranks(count, edges)
        self.paths = self._bend(edges)
        size = len(self.rank)
        self.above: list[list[int]] = [[] for _ in range(size)]
        self.below: list[list[int]] = [[] for _ in range(size)]
        for upper, lower in dict.fromkeys(
                pair for path in self.paths for pair in zip(path, path[1:], strict=False)):
            self.above[lower].append(upper)
            self.below[upper].append(lower)
        self.rows = self._first_order()
        self._sort()

    def _bend(self, edges: Sequence[tuple[int, int]]) -> list[list[int]]:
        bends: dict[tuple[int, int], int] = {}
        paths = []
        for source, target in edges:
            path = [source]
            for rank in range(self.rank[source] + 1, self.rank[target]):
                if (source, rank) not in bends:
                    bends[source, rank] = len(self.rank)
                    self.rank.append(rank)
                path.append(bends[source, rank])
            paths.append([*path, target])
        return paths

    def _first_order(self) -> list[list[int]]:
        """Order each rank as a search into the depth comes by."""
        rows: list[list[int]] = [[] for _ in range(max(self.rank, default=-1) + 1)]
        seen = [False] * len(self.rank)
        for root in range(self.count):
            stack = [root]
            while stack:
                item = stack.pop()
                if seen[item]:
                    continue
                seen[item] = True
                rows[self.rank[item]].append(item)
                stack += reversed(self.below[item])
        return rows

    def _sort(self) -> None:
        best, fewest = [row[:] for row in self.rows], self.crossings()
        size = len(self.rank)
        for sweep in range(_SWEEPS if size <= EXACT else max(2, min(_SWEEPS, _SWEPT // size))):
            if not fewest:
                break
            down = sweep % 2 == 0
            rows = self.rows[1:] if down else self.rows[-2::-1]
            place = self.places()
            for row in rows:
                _sort_row(row, self.above if down else self.below, place)
            crossings = self.crossings()
            if crossings < fewest:
                best, fewest = [row[:] for row in self.rows], crossings
        self.rows = best

    def places(self) -> dict[int, int]:
        """Return the position of each node and bend in its rank."""
        return {item: position for row in self.rows for position, item in enumerate(row)}

    def crossings(self) -> int:
        """Return how many pairs of arrows cross."""
        place = self.places()
        total = 0
        for row in self.rows:
            ends: list[int] = []
            for item in row:
                lower = sorted(place[other] for other in self.below[item])
                total += sum(len(ends) - bisect_left(ends, end + 1) for end in lower)
                for end in lower:
                    insort(ends, end)
        return total


def _sort_row(row: list[int], neighbours: Sequence[Sequence[int]], place: dict[int, int]) -> None:
    """Sort a rank by the middles of its items' neighbours, and keep ``place`` up to date."""
    centre = {}
    for position, item in enumerate(row):
        others = [place[other] for other in neighbours[item]]
        centre[item] = sum(others) / len(others) if others else position
    row.sort(key=lambda item: centre[item])
    place.update((item, position) for position, item in enumerate(row))


def _ranks(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Return the ranks for which all arrows together are shortest; each is at least one long.

    The problem is linear, and its corners are whole numbers.

    Source: Gansner, Koutsofios, North and Vo, "A technique for drawing directed graphs".
    """
    pairs = list(dict.fromkeys(edges))
    if count > EXACT:
        return _fair_ranks(count, pairs)
    cost = [0.0] * count
    for source, target in pairs:
        cost[source] -= 1
        cost[target] += 1
    places = minimise(cost, [(source, target, 1.0) for source, target in pairs])
    return [round(place) for place in places]


def _fair_ranks(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Return ranks in linear time: as high as can be, then down where that makes arrows shorter."""
    rank, arriving = [0] * count, [0] * count
    below: list[list[int]] = [[] for _ in range(count)]
    for source, target in sorted(edges):
        rank[target] = max(rank[target], rank[source] + 1)
        arriving[target] += 1
        below[source].append(target)
    for node in reversed(range(count)):
        if len(below[node]) > arriving[node]:
            rank[node] = min(rank[target] for target in below[node]) - 1
    return rank


def minimise(cost: Sequence[float], least: Sequence[tuple[int, int, float]]) -> list[float]:
    """Return numbers from 0 on with the least sum of ``cost * number``.

    Args:
        cost: what each number costs.
        least: triples (i, j, d): number j must be number i plus d, or more.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix
    if not cost:
        return []
    rows = [row for row in range(len(least)) for _ in range(2)]
    columns = [index for low, high, _ in least for index in (low, high)]
    matrix = csr_matrix(([1.0, -1.0] * len(least), (rows, columns)), (len(least), len(cost)))
    if not least:
        return [0.0] * len(cost)
    found = linprog(cost, A_ub=matrix, b_ub=[-distance for *_, distance in least],
                    bounds=(0, None), method="highs-ds")
    return [float(value) for value in found.x]
