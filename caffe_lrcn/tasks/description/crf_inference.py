"""Exact inference in a small CRF: variable elimination, then back for the marginals.

A table has an axis for the clips and one for each slot; axes of slots that it does not concern have
length 1, so that tables of different slots add up by broadcasting. All tables are logarithms.

Slots are eliminated one by one. The table of a slot, with those that it still shares a table with,
is reduced over the slot, and what is left goes to the table of the next of the others. On a tree
these are the messages of the max-product and sum-product algorithms; a fully connected graph ends
up with the table of all slots together.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .crf_graph import Plan

#: Labels of two slots -> their (n_i, n_j) scores.
Tables = Mapping[tuple[int, int], np.ndarray]
#: Sums of products of exponentials of such a range neither overflow nor vanish.
_SAFE = 600.0


@dataclass(frozen=True)
class Posterior:
    """What the sum-product pass finds for N clips.

    Args:
        log_z: (N,) logarithm of the sum over all labellings.
        slots: for each slot (N, n) probabilities.
        pairs: for each edge (n_i, n_j) probabilities, summed over the clips.
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
    count = len(unaries[0])
    shared, own = _prepare(plan, unaries, tables)
    steps: dict[int, _Product | _Sum] = {}
    told: set[int] = set()  # slots to which another one has left something
    log_z = np.zeros(count)
    for slot in plan.order:
        near = plan.neighbours[slot]
        step: _Product | _Sum
        if slot not in told and _is_safe(shared[slot], own[slot], 1 + slot):
            step = _Product(slot, shared[slot], own[slot].reshape(count, -1))
        else:
            step = _Sum(slot, shared[slot] + own[slot])
        steps[slot] = step
        if near:
            told.add(plan.first(near))
            own[plan.first(near)] = own[plan.first(near)] + step.message
        else:
            log_z += step.message.reshape(count)
    slots: list[np.ndarray] = [np.empty(0)] * len(plan.sizes)
    totals: dict[int, np.ndarray] = {}
    for slot in reversed(plan.order):
        near = plan.neighbours[slot]
        above = np.ones(1)
        if near:
            parent = steps[plan.first(near)]
            assert isinstance(parent, _Sum)  # it has received a message
            above = parent.belief.sum(axis=_others(plan, near), keepdims=True)
        slots[slot], totals[slot] = steps[slot].back(above)
    pairs = {}
    for i, j in tables:
        total = totals[plan.first((i, j))]
        both = total.sum(axis=tuple(k for k in range(len(plan.sizes)) if k not in (i, j)))
        pairs[i, j] = both if i < j else both.T
    return Posterior(log_z, slots, pairs)


class _Sum:
    """A slot summed out of a table that differs from clip to clip.

    Args:
        slot: its number.
        table: (N, …) scores of the slot and its neighbours.
    """

    def __init__(self, slot: int, table: np.ndarray) -> None:
        self._axis = 1 + slot
        self.message = _log_sum(table, (self._axis,))
        self.belief = np.exp(table - self.message)  # the slot's labels given its neighbours'

    def back(self, above: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (N, n) probabilities of the slot, and those of its table summed over the clips.

        Args:
            above: (N, …) probabilities of the neighbours' labels.
        """
        self.belief = self.belief * above
        axes = tuple(axis for axis in range(1, self.belief.ndim) if axis != self._axis)
        return self.belief.sum(axis=axes), self.belief.sum(axis=0)


class _Product:
    """A slot summed out where all clips have one table, and only the slot's own scores differ.

    The sum over the slot's labels is a product of matrices, and no table of all clips is made.

    Args:
        slot: its number.
        table: (1, …) scores of the slot and its neighbours.
        scores: (N, n) of the slot.
    """

    def __init__(self, slot: int, table: np.ndarray, scores: np.ndarray) -> None:
        moved = np.moveaxis(table[0], slot, 0)
        self._slot, self._shape = slot, moved.shape
        flat = moved.reshape(len(moved), -1)
        top, best = flat.max(axis=0), scores.max(axis=1, keepdims=True)
        self._table, self._scores = np.exp(flat - top), np.exp(scores - best)
        self._sums = self._scores @ self._table
        left = np.expand_dims(np.empty(moved.shape[1:]), slot).shape
        self.message = (np.log(self._sums) + top + best).reshape(len(scores), *left)

    def back(self, above: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As that of ``_Sum``."""
        share = above.reshape(len(above), -1) / self._sums
        total = self._table * (self._scores.T @ share)
        return (self._scores * (share @ self._table.T),
                np.moveaxis(total.reshape(self._shape), 0, self._slot))


def _is_safe(shared: np.ndarray, own: np.ndarray, axis: int) -> bool:
    return bool(np.ptp(shared, axis=axis).max() + np.ptp(own, axis=axis).max() < _SAFE)


def maximum(plan: Plan, unaries: Sequence[np.ndarray],
            tables: Tables) -> tuple[np.ndarray, np.ndarray]:
    """Return the best labelling of all slots, (N, K) int64, and its score, (N,), by max-product.

    Args:
        plan, unaries, tables: as for ``posterior``.
    """
    shared, cliques = _prepare(plan, unaries, tables)
    score = np.zeros(len(unaries[0]))
    for slot in plan.order:
        cliques[slot] = shared[slot] + cliques[slot]
        message, near = cliques[slot].max(axis=1 + slot, keepdims=True), plan.neighbours[slot]
        if near:
            cliques[plan.first(near)] = cliques[plan.first(near)] + message
        else:
            score += message.reshape(-1)
    labels = np.zeros((len(unaries[0]), len(plan.sizes)), np.int64)
    rows = np.arange(len(labels))
    for slot in reversed(plan.order):
        # Axes of length 1 have index 0; those of the neighbours their labels.
        index = [rows] + [labels[:, k] if k in plan.neighbours[slot] else np.zeros_like(rows)
                          for k in range(len(plan.sizes))]
        moved = np.moveaxis(cliques[slot], 1 + slot, -1)
        del index[1 + slot]
        labels[:, slot] = moved[tuple(index)].argmax(axis=-1)
    return labels, score


def score_of(labels: np.ndarray, unaries: Sequence[np.ndarray], tables: Tables) -> np.ndarray:
    """Return the score of (N, K) labels, (N,)."""
    rows = np.arange(len(labels))
    score = sum((unary[rows, labels[:, k]] for k, unary in enumerate(unaries)), np.zeros(len(rows)))
    for (i, j), table in tables.items():
        score = score + table[labels[:, i], labels[:, j]]
    return score


def _prepare(plan: Plan, unaries: Sequence[np.ndarray],
             tables: Tables) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Return for each slot the sum of its tables with later ones, (1, …), and its own scores."""
    own = {slot: _spread(plan, unaries[slot], (slot,)) for slot in plan.order}
    shared = {slot: _spread(plan, np.zeros((1, plan.sizes[slot])), (slot,)) for slot in plan.order}
    for (i, j), table in tables.items():
        low, high = sorted((i, j))
        first = plan.first((i, j))
        shared[first] = shared[first] + _spread(plan, (table if i < j else table.T)[None],
                                                (low, high))
    for slot in plan.order:  # neighbours that came by elimination only
        shape = [1, *(size if k == slot or k in plan.neighbours[slot] else 1
                      for k, size in enumerate(plan.sizes))]
        shared[slot] = np.broadcast_to(shared[slot], shape)
    return shared, own


def _spread(plan: Plan, scores: np.ndarray, slots: tuple[int, ...]) -> np.ndarray:
    """Return scores of clips and these slots, in rising order, with an axis for every slot."""
    return scores.reshape(len(scores), *(size if slot in slots else 1
                                         for slot, size in enumerate(plan.sizes)))


def _others(plan: Plan, slots: Sequence[int]) -> tuple[int, ...]:
    """Return the axes of all slots but these."""
    return tuple(1 + slot for slot in range(len(plan.sizes)) if slot not in slots)


def _log_sum(table: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    top = table.max(axis=axes, keepdims=True)
    return np.asarray(top + np.log(np.exp(table - top).sum(axis=axes, keepdims=True)))
