"""How good a model is at naming the activity in videos, split by split, and against another."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...metrics.classes import (
    McNemar,
    accuracy,
    class_accuracies,
    confusion_matrix,
    differences,
    mcnemar,
    top_k,
)
from .results import Results


@dataclass(frozen=True)
class Evaluation:
    """The scores of a model.

    Args:
        classes: their names.
        accuracies: of each split, from 0 to 1.
        top: of each split, the share whose class is among the first ``k``.
        k: how many classes count for ``top``.
        confusion: (classes, classes) counts of all splits together: [true, predicted].
    """

    classes: list[str]
    accuracies: list[float]
    top: list[float]
    k: int
    confusion: np.ndarray

    @property
    def mean(self) -> float:
        """Mean of the splits' accuracies, as the paper's Table 1 reports."""
        return float(np.mean(self.accuracies))

    @property
    def per_class(self) -> np.ndarray:
        """(classes,) accuracies over the videos of all splits; NaN without videos."""
        return class_accuracies(self.confusion)


@dataclass(frozen=True)
class Comparison:
    """A model beside another one.

    Args:
        differences: class and how much better the first model is there, best first.
        test: whether they differ by more than chance, over the videos of all splits.
    """

    differences: list[tuple[str, float]]
    test: McNemar


def evaluate(splits: Sequence[Results], k: int = 5) -> Evaluation:
    """Return the scores of a model.

    Args:
        splits: its results on each split, with the same classes.
        k: how many classes count for ``top``; at most as many as there are.
    """
    classes = splits[0].classes
    k = min(k, len(classes))
    matrices = [confusion_matrix(split.labels, split.predicted, len(classes)) for split in splits]
    return Evaluation(classes, [accuracy(matrix) for matrix in matrices],
                      [top_k(split.probabilities, split.labels, k) for split in splits], k,
                      sum(matrices[1:], matrices[0]))


def compare(first: Sequence[Results], second: Sequence[Results]) -> Comparison:
    """Return how two models differ on the same splits.

    Args:
        first, second: their results on each split, videos in the same order.
    """
    right = [np.concatenate([split.predicted == split.labels for split in model])
             for model in (first, second)]
    accuracies = [evaluate(model).per_class for model in (first, second)]
    return Comparison(differences(first[0].classes, *accuracies), mcnemar(*right))
