"""A small CRF over the slots of a clip: exact, trained by maximum likelihood.

The score of a labelling is the sum of a score for each slot's label, linear in the clip's features,
and of an entry of a table for each pair of connected slots.

Source: paper, section 6; the CRF itself is that of Rohrbach et al. 2013 and 2014 in small.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import DataError, UsageError
from .crf_graph import Edge, Plan, make_plan
from .crf_inference import maximum, posterior, score_of
from .role_records import Slot

#: Entries of a table that are worked on at once.
_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class Crf:
    """A trained CRF.

    Args:
        slots: what it labels.
        weights: (D, S) of the D features for the S labels of all slots.
        bias: (S,).
        tables: pairs of slots -> (n_i, n_j) scores.
    """

    slots: tuple[Slot, ...]
    weights: np.ndarray
    bias: np.ndarray
    tables: dict[Edge, np.ndarray]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of labels of each slot."""
        return tuple(len(slot.labels) for slot in self.slots)

    def marginals(self, features: np.ndarray) -> np.ndarray:
        """Return (N, S) probabilities of the labels of each slot by itself.

        Args:
            features: (N, D).

        Raises:
            DataError: the features do not fit.
        """
        plan = self._plan()
        return np.concatenate([
            np.concatenate(posterior(plan, part, self.tables).slots, axis=1)
            for part in self._parts(features, plan)])

    def best(self, features: np.ndarray) -> np.ndarray:
        """Return (N, K) labels: the most probable ones together (MAP).

        Args, Raises: as for ``marginals``.
        """
        plan = self._plan()
        return np.concatenate([maximum(plan, part, self.tables)[0]
                               for part in self._parts(features, plan)])

    def log_likelihood(self, features: np.ndarray, labels: np.ndarray) -> float:
        """Return the mean log probability of (N, K) labels, all slots together, in nats."""
        plan, total, start = self._plan(), 0.0, 0
        for part in self._parts(features, plan):
            end = start + len(part[0])
            total += float((score_of(labels[start:end], part, self.tables)
                            - posterior(plan, part, self.tables).log_z).sum())
            start = end
        return total / len(labels)

    def _plan(self) -> Plan:
        return make_plan(self.sizes, [*self.tables])

    def _parts(self, features: np.ndarray, plan: Plan) -> list[list[np.ndarray]]:
        """Return the scores of slots, for as many clips at once as the memory should hold."""
        check_features(features, len(self.weights))
        scores = features @ self.weights + self.bias
        blocks = np.split(scores, np.cumsum(self.sizes)[:-1], axis=1)
        return _cut(blocks, plan)


def check_features(features: np.ndarray, width: int | None = None) -> None:
    """Check features of clips.

    Raises:
        DataError: they are not (N, D) finite numbers with N and D above 0, or D is not ``width``.
    """
    if features.ndim != 2 or not features.size:
        raise DataError("the features are not a row for each clip", got=f"shape {features.shape}",
                        wanted="(clips, features)")
    if width is not None and features.shape[1] != width:
        raise DataError("the features have another width than those of training",
                        got=features.shape[1], wanted=width)
    if not np.isfinite(features).all():
        clip, place = np.argwhere(~np.isfinite(features))[0]
        raise DataError("a feature is not finite", got=features[clip, place],
                        where=f"row {clip}, column {place}")


def train_crf(slots: Sequence[Slot], features: np.ndarray, labels: np.ndarray,
              edges: Sequence[Edge], l2: float = 1.0, iterations: int = 300) -> Crf:
    """Return the CRF of greatest likelihood, less ``l2`` / 2 times the squares of its scores.

    Features are brought to mean 0 and deviation 1 for training, so that the penalty does not depend
    on their scale; the weights returned take them as they are.

    Args:
        slots: what is labelled.
        features: (N, D).
        labels: (N, K), the true ones.
        edges: pairs of slots that get a table.
        l2: the penalty on weights and tables; biases have none.
        iterations: of L-BFGS, at most.

    Raises:
        DataError: the features do not fit the labels.
        UsageError: the graph is too large to be exact, or ``l2`` is negative.
    """
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits
    features = np.asarray(features, np.float64)
    check_features(features)
    if len(features) != len(labels):
        raise DataError("features and roles are of different numbers of clips",
                        got=len(features), wanted=len(labels))
    if not 0 <= l2 < np.inf:
        raise UsageError("the penalty of the CRF must not be negative", got=l2)
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale[scale < 1e-8 * np.maximum(1, np.abs(mean))] = 1.0  # it tells nothing
    objective = Objective(slots, (features - mean) / scale, labels, edges, l2)
    with threadpool_limits(1):  # L-BFGS calls BLAS for tiny arrays, where threads only wait
        found = minimize(objective, np.zeros(objective.size), jac=True, method="L-BFGS-B",
                         options={"maxiter": iterations, "maxfun": 2 * iterations})
    weights, bias, tables = objective.unpack(found.x)
    weights = weights / scale[:, None]
    return Crf(tuple(slots), weights, bias - mean @ weights, tables)


class Objective:
    """Mean negative log likelihood with its penalty, and its gradient.

    Args:
        slots, features, labels, edges, l2: as for ``train_crf``.
    """

    def __init__(self, slots: Sequence[Slot], features: np.ndarray, labels: np.ndarray,
                 edges: Sequence[Edge], l2: float) -> None:
        self._sizes = [len(slot.labels) for slot in slots]
        self._features, self._labels, self._l2 = features, labels, l2
        self._plan = make_plan(self._sizes, edges)
        self._edges = list(edges)
        ends = np.cumsum([features.shape[1] * sum(self._sizes), sum(self._sizes),
                          *(self._sizes[i] * self._sizes[j] for i, j in edges)])
        self.size, self._ends = int(ends[-1]), ends[:-1]

    def unpack(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict[Edge, np.ndarray]]:
        """Return weights, biases and tables in a vector of ``size`` numbers."""
        weights, bias, *tables = np.split(values, self._ends)
        return (weights.reshape(-1, len(bias)), bias,
                {(i, j): table.reshape(self._sizes[i], self._sizes[j])
                 for (i, j), table in zip(self._edges, tables, strict=True)})

    def __call__(self, values: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the value at ``values``, and the gradient: expected less observed counts."""
        gradient = np.zeros_like(values)
        d_weights, d_bias, d_tables = self.unpack(gradient)  # views
        weights, bias, tables = self.unpack(values)
        blocks = np.split(self._features @ weights + bias, np.cumsum(self._sizes)[:-1], axis=1)
        count, loss, start = len(self._labels), 0.0, 0
        for part in _cut(blocks, self._plan):
            rows = slice(start, start + len(part[0]))
            found, labels = posterior(self._plan, part, tables), self._labels[rows]
            start = rows.stop
            loss += float((found.log_z - score_of(labels, part, tables)).sum())
            surplus = np.concatenate(found.slots, axis=1)
            offsets = np.cumsum([0, *self._sizes[:-1]])
            np.subtract.at(surplus, (np.arange(len(labels))[:, None], labels + offsets), 1.0)
            d_weights += self._features[rows].T @ surplus
            d_bias += surplus.sum(axis=0)
            for edge, table in d_tables.items():
                table += found.pairs[edge]
                np.subtract.at(table, (labels[:, edge[0]], labels[:, edge[1]]), 1.0)
        for value, slope in ((weights, d_weights), *((tables[e], d_tables[e]) for e in tables)):
            loss += self._l2 / 2 * float((value ** 2).sum())
            slope += self._l2 * value
        return loss / count, gradient / count


def _cut(blocks: Sequence[np.ndarray], plan: Plan) -> list[list[np.ndarray]]:
    """Return the blocks of scores in parts of a few clips."""
    step = max(1, _AT_ONCE // plan.largest)
    return [[block[start:start + step] for block in blocks]
            for start in range(0, len(blocks[0]), step)]
