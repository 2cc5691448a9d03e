"""The graph of a CRF: which slots have a table together, and in which order they are eliminated."""
from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import UsageError
from ...hints import did_you_mean, nearest
from .role_records import Roles

Edge = tuple[int, int]
#: No table may have more entries for one clip.
LARGEST_TABLE = 1 << 20
#: NumPy's arrays have no more than 32 axes in its older releases.
_MOST_SLOTS = 30


@dataclass(frozen=True)
class Plan:
    """In which order slots are eliminated.

    Args:
        sizes: (K,) numbers of labels.
        order: of elimination.
        neighbours: for each slot, the later ones that it then shares a table with.
    """

    sizes: tuple[int, ...]
    order: tuple[int, ...]
    neighbours: tuple[tuple[int, ...], ...]

    @property
    def largest(self) -> int:
        """The number of entries of the largest table of a clip."""
        return max(math.prod(self.sizes[one] for one in (slot, *self.neighbours[slot]))
                   for slot in self.order)

    def first(self, slots: Sequence[int]) -> int:
        """Return the slot that is eliminated first of these: its table has all of them."""
        return min(slots, key=self.order.index)


def make_plan(sizes: Sequence[int], edges: Sequence[tuple[int, int]]) -> Plan:
    """Return a good order of elimination: each time the slot with the smallest table.

    Args:
        sizes: (K,) numbers of labels.
        edges: pairs of slots that have a table together.

    Raises:
        UsageError: a table would be larger than ``LARGEST_TABLE``, or there are too many slots.
    """
    if len(sizes) > _MOST_SLOTS:
        raise UsageError("too many slots for the CRF", got=len(sizes), wanted=f"{_MOST_SLOTS} at "
                                                                              "most")
    graph: dict[int, set[int]] = {slot: set() for slot in range(len(sizes))}
    for i, j in edges:
        graph[i].add(j)
        graph[j].add(i)
    order: list[int] = []
    neighbours: list[tuple[int, ...]] = [()] * len(sizes)
    while graph:
        # Among equal ones the slot with most labels goes first, for what it leaves is smallest.
        slot = min(graph, key=lambda one: (math.prod(sizes[k] for k in (one, *graph[one])),
                                           -sizes[one]))
        others = graph.pop(slot)
        for other in others:
            graph[other] |= others
            graph[other] -= {slot, other}
        order.append(slot)
        neighbours[slot] = tuple(sorted(others))
    plan = Plan(tuple(sizes), tuple(order), tuple(neighbours))
    if plan.largest > LARGEST_TABLE:
        raise UsageError("the CRF is too large to be exact: it needs a table of many slots",
                         got=f"{plan.largest:,} entries", wanted=f"{LARGEST_TABLE:,} at most",
                         remedy="Connect fewer slots: a chain or a tree")
    return plan


def choose_edges(kind: str, roles: Roles) -> list[Edge]:
    """Return pairs of slots by what a user says.

    Args:
        kind: ``full`` (all pairs), ``chain`` (each slot with the next), ``tree`` (the tree whose
            pairs tell most about each other in ``roles``), ``none``, or pairs by name:
            ``tool-activity,activity-object``.
        roles: training clips.

    Raises:
        UsageError: a pair of other slots, or one slot with itself.

    Source: Chow and Liu 1968, for the tree.
    """
    count = len(roles.slots)
    pairs = list(itertools.combinations(range(count), 2))
    if kind in ("full", "none"):
        return pairs if kind == "full" else []
    if kind == "chain":
        return [(k, k + 1) for k in range(count - 1)]
    if kind == "tree":
        return _tree(roles, pairs)
    names = [slot.name for slot in roles.slots]
    found: list[Edge] = []
    for text in kind.split(","):
        pair = [names.index(name) if name in names else -1 for name in text.split("-", 1)]
        if len(pair) != 2 or pair[0] == pair[1] or -1 in pair:
            unknown = [name for name in text.split("-", 1) if name not in names]
            raise UsageError("not a pair of slots", got=text, wanted=f"two of {', '.join(names)} "
                             "with a hyphen, or full, chain, tree or none",
                             remedy=did_you_mean(nearest(unknown[0], names) if unknown else []))
        edge = (min(pair), max(pair))
        if edge not in found:
            found.append(edge)
    return found


def _tree(roles: Roles, pairs: list[Edge]) -> list[Edge]:
    """Return the spanning tree of greatest mutual information, by Kruskal's algorithm."""
    parts = {k: {k} for k in range(len(roles.slots))}
    edges = []
    for i, j in sorted(pairs, key=lambda pair: -_information(roles, *pair)):
        if parts[i] is not parts[j]:
            joined = parts[i] | parts[j]
            for k in joined:
                parts[k] = joined
            edges.append((i, j))
    return edges


def _information(roles: Roles, i: int, j: int) -> float:
    """Return the mutual information of two slots' labels, in nats."""
    joint = np.zeros((len(roles.slots[i].labels), len(roles.slots[j].labels)))
    np.add.at(joint, (roles.labels[:, i], roles.labels[:, j]), 1 / len(roles.labels))
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    there = joint > 0
    return float((joint[there] * np.log(joint[there] / apart[there])).sum())
