"""Scores of a classifier: accuracy, confusion, and whether one model beats another.

Rows of a confusion matrix are the true classes, its columns the predicted ones.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError

_FEW = 25  # videos on which two models differ, from which on the chi-square test is near enough


@dataclass(frozen=True)
class McNemar:
    """Whether two models that judged the same videos differ by more than chance.

    Args:
        only_first, only_second: how many videos only one of the models has right.
        p: probability of a difference at least as large, if both were equally good.
        statistic: chi-square with one degree of freedom; None where the test is exact.
    """

    only_first: int
    only_second: int
    p: float
    statistic: float | None


def confusion_matrix(labels: Sequence[int] | np.ndarray, predicted: Sequence[int] | np.ndarray,
                     classes: int) -> np.ndarray:
    """Return how often each class is taken for each.

    Args:
        labels: (N,) true classes, from 0.
        predicted: (N,) predicted classes.
        classes: how many there are.

    Returns:
        (classes, classes) counts: [true, predicted].

    Raises:
        DataError: lengths that differ, or a class out of range.
    """
    true, guess = _indices(labels, classes), _indices(predicted, classes)
    if len(true) != len(guess):
        raise DataError("labels and predictions do not belong together",
                        got=f"{len(true)} labels, {len(guess)} predictions")
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (true, guess), 1)
    return matrix


def accuracy(confusion: np.ndarray) -> float:
    """Return the share of the videos that are on the diagonal of a confusion matrix.

    Raises:
        DataError: it has no videos.
    """
    if not confusion.sum():
        raise DataError("there are no videos to score")
    return float(np.trace(confusion) / confusion.sum())


def class_accuracies(confusion: np.ndarray) -> np.ndarray:
    """Return (classes,) the share of each class's videos that are right; NaN without videos."""
    videos = confusion.sum(axis=1)
    return np.where(videos > 0, np.diagonal(confusion) / np.maximum(videos, 1), np.nan)


def top_k(probabilities: np.ndarray, labels: Sequence[int] | np.ndarray, k: int) -> float:
    """Return the share of the videos whose true class is among the ``k`` most probable ones.

    Of equal probabilities the lower class comes first, so ``k`` = 1 counts what ``argmax`` finds.

    Args:
        probabilities: (N, classes).
        labels: (N,) true classes, from 0.
        k: how many classes count.

    Raises:
        DataError: no videos, lengths that differ, or a label or ``k`` out of range.
    """
    values = np.asarray(probabilities)
    true = _indices(labels, values.shape[1])
    if len(true) != len(values) or not len(true):
        raise DataError("labels and probabilities do not belong together",
                        got=f"{len(true)} labels, probabilities of {len(values)} videos")
    if not 1 <= k <= values.shape[1]:
        raise DataError("k is out of range", got=k, wanted=f"1 to {values.shape[1]}")
    own = values[np.arange(len(true)), true][:, None]
    before = np.arange(values.shape[1]) < true[:, None]
    place = (values > own).sum(axis=1) + ((values == own) & before).sum(axis=1)
    return float((place < k).mean())


def differences(names: Sequence[str], first: np.ndarray, second: np.ndarray
                ) -> list[tuple[str, float]]:
    """Return each class with how much the first model is better there, best first.

    Classes of equal difference keep the order of ``names``; those without videos are left out.
    The head of the list and its reversed tail are the columns of the paper's Tables 2 and 3.

    Args:
        names: of the classes.
        first, second: (classes,) accuracies per class of the two models, from 0 to 1.

    Source: paper, Tables 2 and 3.
    """
    found = [(name, float(delta)) for name, delta in
             zip(names, np.subtract(first, second), strict=True) if not np.isnan(delta)]
    return sorted(found, key=lambda entry: -entry[1])


def mcnemar(first: Sequence[bool] | np.ndarray, second: Sequence[bool] | np.ndarray) -> McNemar:
    """Test whether two models differ on the same videos.

    Fewer than 25 videos that only one model has right are judged by the binomial distribution,
    more by chi-square with continuity correction, (abs(a - b) - 1)^2 / (a + b).

    Args:
        first, second: (N,) whether each model has each video right.

    Raises:
        DataError: lengths that differ.

    Source: McNemar 1947; Edwards 1948 for the correction.
    """
    one, other = np.asarray(first, bool), np.asarray(second, bool)
    if one.shape != other.shape:
        raise DataError("the models did not judge the same videos",
                        got=f"{one.size} and {other.size} videos")
    a, b = int((one & ~other).sum()), int((other & ~one).sum())
    from scipy import special
    if a + b < _FEW:
        p = float(min(1.0, 2 * special.bdtr(min(a, b), a + b, 0.5))) if a + b else 1.0
        return McNemar(a, b, p, None)
    statistic = max(abs(a - b) - 1, 0)**2 / (a + b)
    return McNemar(a, b, float(special.chdtrc(1, statistic)), statistic)


def _indices(values: Sequence[int] | np.ndarray, classes: int) -> np.ndarray:
    array = np.asarray(values, np.int64)
    wrong = array[(array < 0) | (array >= classes)]
    if len(wrong):
        raise DataError("a class is out of range", got=int(wrong[0]), wanted=f"0 to {classes - 1}")
    return array
