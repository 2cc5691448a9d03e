"""ROUGE-L of a corpus and of each picture."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def rouge_l(candidates: Sequence[str], references: Sequence[Sequence[str]],
            beta: float = 1.2) -> tuple[float, np.ndarray]:
    """Return ROUGE-L over all pictures (the mean) and of each picture, (N,).

    ROUGE-L = (1 + beta^2) P R / (R + beta^2 P), where P and R are the length of the longest common
    subsequence over the candidate's and over the reference's length, each the best one over the
    references (not of one and the same).

    Args:
        candidates: one tokenised sentence per picture.
        references: per picture its tokenised references.
        beta: how much more recall counts than precision.

    Source: Lin 2004, in the form of the COCO caption evaluation.
    """
    scores = np.array([_score(candidate.split(" "), [text.split(" ") for text in texts], beta)
                       for candidate, texts in zip(candidates, references, strict=True)])
    return float(scores.mean()), scores


def _score(candidate: list[str], references: list[list[str]], beta: float) -> float:
    places: dict[str, int] = {}
    for place, word in enumerate(candidate):
        places[word] = places.get(word, 0) | 1 << place
    common = [_common(places, len(candidate), words) for words in references]
    precision = max(common) / len(candidate)
    recall = max(size / len(words) for size, words in zip(common, references, strict=True))
    if precision == 0:
        return 0.0
    return (1 + beta ** 2) * precision * recall / (recall + beta ** 2 * precision)


def _common(places: dict[str, int], length: int, words: list[str]) -> int:
    """Return the length of the longest common subsequence.

    One row of the usual table is one integer: a zero bit where the length grows by one from a
    place of the candidate to the next (Hyyro 2004), so a row costs four operations.
    """
    row = every = (1 << length) - 1
    for word in words:
        here = row & places.get(word, 0)
        row = ((row + here) | (row - here)) & every
    return length - row.bit_count()
