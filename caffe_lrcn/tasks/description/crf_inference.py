"""Exact inference in a small CRF: variable elimination, then back for the marginals.

A table has an axis for the clips and one for each slot; axes of slots that it does not concern have
length 1, so that tables of different slots add up by broadcasting. All tables are logarithms.

Slots are eliminated one by one. The table of a slot, with those that it still shares a table with,
is reduced over the slot, and what is left goes to the table of the next of the others. On a tree
these are the messages of the max-product and sum-product algorithms; a fully connected graph ends
up with the table of all slots together.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import UsageError

#: Labels of two slots -> their (n_i, n_j) scores.
Tables = Mapping[tuple[int, int], np.ndarray]
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
        slot = min(graph, key=lambda one: math.prod(sizes[k] for k in (one, *graph[one])))
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


@dataclass(frozen=True)
class Posterior:
    """What the sum-product pass finds for N clips.

    Args:
        log_z: (N,) logarithm of the sum over all labellings.
        slots: for each slot (N, n) probabilities.
        pairs: for each edge (N, n_i, n_j) probabilities.
    """

    log_z: np.ndarray
    slots: list[np.ndarray]
    pairs: dict[tuple[int, int], np.ndarray]


def posterior(plan: Plan, unaries: Sequence[np.ndarray], tables: Tables) -> Posterior:
    """Return marginals and log Z by sum-product.

    Args:
        plan: from ``make_plan`` with the edges of ``tables``.
        unaries: for each slot (N, n) finite scores.
        tables: finite scores of pairs of labels.
    """
    cliques, messages = _eliminate(plan, unaries, tables, _log_sum)
    log_z = sum(messages[slot].reshape(-1) for slot in plan.order if not plan.neighbours[slot])
    beliefs: dict[int, np.ndarray] = {}
    slots: list[np.ndarray] = [np.empty(0)] * len(plan.sizes)
    for slot in reversed(plan.order):
        belief = np.exp(cliques[slot] - messages[slot])  # the slot's labels given its neighbours'
        near = plan.neighbours[slot]
        if near:
            belief *= beliefs[plan.first(near)].sum(axis=_others(plan, near), keepdims=True)
        beliefs[slot] = belief
        slots[slot] = belief.sum(axis=_others(plan, (slot,)))
    pairs = {}
    for i, j in tables:
        both = beliefs[plan.first((i, j))].sum(axis=_others(plan, (i, j)))
        pairs[i, j] = both if i < j else both.transpose(0, 2, 1)
    return Posterior(np.asarray(log_z), slots, pairs)


def maximum(plan: Plan, unaries: Sequence[np.ndarray],
            tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """Return the best labelling of all slots, (N, K) int64, and its score, (N,), by max-product.

    Args:
        plan, unaries, tables: as for ``posterior``.
    """
    cliques, messages = _eliminate(plan, unaries, tables, _max)
    score = sum(messages[slot].reshape(-1) for slot in plan.order if not plan.neighbours[slot])
    labels = np.zeros((len(unaries[0]), len(plan.sizes)), np.int64)
    rows = np.arange(len(labels))
    for slot in reversed(plan.order):
        # Axes of length 1 have index 0; those of the neighbours their labels.
        index = [rows] + [labels[:, k] if k in plan.neighbours[slot] else np.zeros_like(rows)
                          for k in range(len(plan.sizes))]
        moved = np.moveaxis(cliques[slot], 1 + slot, -1)
        del index[1 + slot]
        labels[:, slot] = moved[tuple(index)].argmax(axis=-1)
    return labels, np.asarray(score)


def score_of(labels: np.ndarray, unaries: Sequence[np.ndarray], tables: Tables) -> np.ndarray:
    """Return the score of (N, K) labels, (N,)."""
    rows = np.arange(len(labels))
    score = sum((unary[rows, labels[:, k]] for k, unary in enumerate(unaries)), np.zeros(len(rows)))
    for (i, j), table in tables.items():
        score = score + table[labels[:, i], labels[:, j]]
    return score


Reduce = Callable[[np.ndarray, tuple[int, ...]], np.ndarray]


def _eliminate(plan: Plan, unaries: Sequence[np.ndarray], tables: Tables,
               reduce: Reduce) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Return the table of each slot when it is eliminated, and what is left of it."""
    cliques = {slot: _spread(plan, unaries[slot], (slot,)) for slot in plan.order}
    for (i, j), table in tables.items():
        low, high = sorted((i, j))
        first = plan.first((i, j))
        cliques[first] = cliques[first] + _spread(
            plan, (table if i < j else table.T)[None], (low, high))
    messages = {}
    for slot in plan.order:
        near = plan.neighbours[slot]
        messages[slot] = reduce(cliques[slot], (1 + slot,))
        if near:
            first = plan.first(near)
            cliques[first] = cliques[first] + messages[slot]
    return cliques, messages


def _spread(plan: Plan, scores: np.ndarray, slots: tuple[int, ...]) -> np.ndarray:
    """Return scores of clips and these slots, in rising order, with an axis for every slot."""
    return scores.reshape(len(scores), *(size if slot in slots else 1
                                         for slot, size in enumerate(plan.sizes)))


def _others(plan: Plan, slots: Sequence[int]) -> tuple[int, ...]:
    """Return the axes of all slots but these."""
    return tuple(1 + slot for slot in range(len(plan.sizes)) if slot not in slots)


def _max(table: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    return np.asarray(table.max(axis=axes, keepdims=True))


def _log_sum(table: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    top = table.max(axis=axes, keepdims=True)
    return np.asarray(top + np.log(np.exp(table - top).sum(axis=axes, keepdims=True)))
