"""Weights of a translation's features, chosen for BLEU-4 on clips held out of training.

Lists of the best translations are scored again under other weights, which takes no search.
Source: Och, "Minimum error rate training in statistical machine translation", with steps of a
fixed set in place of his exact line search.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ... import rng
from ...language.ptb_tokens import PTBTokenizer
from ...metrics.bleu import bleu_counts, bleu_of
from ...metrics.ngrams import NgramTable
from .stack_search import Candidate

#: A weight is multiplied by each of these, or has each of the second added.
_FACTORS = np.array([-1.0, 0.0, 0.25, 0.5, 0.75, 0.9, 1.1, 1.33, 2.0, 4.0])
_ADDED = np.array([-0.5, -0.1, -0.02, 0.02, 0.1, 0.5])
_LEAST_GAIN = 1e-6
_STARTS = 8  # places from which the search begins
_ROUNDS = 5
_LEAST_ROUND = 5e-4  # a round that gains less is the last

Weights = tuple[float, ...]
#: Returns the best translations of each held-out clip under some weights, best first.
Decode = Callable[[Weights], list[list[Candidate]]]


def tune(decode: Decode, references: Sequence[Sequence[str]], start: Weights, seed: int,
         report: Callable[[str], None]) -> tuple[Weights, float]:
    """Return the best weights that were found, and BLEU-4 of the held-out clips with them.

    Args:
        decode: translates the held-out clips; each gets one translation or more.
        references: of each clip its sentences.
        start: weights to begin with.
        seed: of the other places to begin at.
        report: takes lines of progress.
    """
    pool = _Pool(references)
    weights, best = start, (start, -1.0)
    for number in range(_ROUNDS):
        lists = decode(weights)
        grown = pool.add(lists)
        reached = pool.bleu_of_first(lists)
        report(f"weights, round {number + 1}: BLEU-4 {100 * reached:.1f}% on clips held out")
        gained = reached - best[1]
        if gained > 0:
            best = weights, reached
        if not grown or gained < _LEAST_ROUND:
            break
        tried = [_climb(pool, first) for first in _starts(pool, best[0], seed, number)]
        # Of equals the first one: that from the best weights so far.
        weights = max(tried, key=lambda found: found[1])[0]
    return best


def _starts(pool: _Pool, weights: Weights, seed: int, number: int) -> list[np.ndarray]:
    """Return the weights and some drawn around them; those that make no difference stay."""
    random = rng.generator(seed, "weights", call=number)
    factors = np.where(pool.varies(), random.lognormal(0, 1, (_STARTS - 1, len(weights))), 1)
    return [np.array(weights), *(np.array(weights) * factors)]


def _climb(pool: _Pool, weights: np.ndarray) -> tuple[Weights, float]:
    """Change one weight after another while BLEU-4 rises."""
    reached = float(pool.bleu(weights[None])[0])
    rising = True
    while rising:
        rising = False
        for place in range(len(weights)):
            values = np.concatenate([weights[place] * _FACTORS, weights[place] + _ADDED])
            tried = np.tile(weights, (len(values), 1))
            tried[:, place] = values
            scores = pool.bleu(tried)
            chosen = int(scores.argmax())
            if scores[chosen] > reached + _LEAST_GAIN:
                weights, reached, rising = tried[chosen], float(scores[chosen]), True
    return tuple(weights.tolist()), reached


class _Pool:
    """All different translations so far of the held-out clips, with features and BLEU's counts."""

    def __init__(self, references: Sequence[Sequence[str]]) -> None:
        self._tokenizer = PTBTokenizer()
        self._references = [[" ".join(self._tokenizer(text)) for text in texts]
                            for texts in references]
        #: Of each clip: words and features of a translation -> its row.
        self._rows: list[dict[tuple[tuple[str, ...], tuple[float, ...]], int]] = [
            {} for _ in references]
        self._features: list[tuple[float, ...]] = []
        self._counts = np.zeros((0, 10))

    def add(self, lists: list[list[Candidate]]) -> bool:
        """Add translations; return whether there were new ones."""
        owners, texts = [], []
        for clip, candidates in enumerate(lists):
            for candidate in candidates:
                key = candidate.words, candidate.features
                if key not in self._rows[clip]:
                    self._rows[clip][key] = len(self._features)
                    self._features.append(candidate.features)
                    owners.append(clip)
                    texts.append(" ".join(self._tokenizer(" ".join(candidate.words))))
        if not texts:
            return False
        table = NgramTable(texts, [self._references[clip] for clip in owners])
        self._counts = np.concatenate([self._counts, bleu_counts(table)])
        self._fill()
        return True

    def _fill(self) -> None:
        """Lay the clips side by side; short ones repeat their first translation."""
        most = max(map(len, self._rows))
        self._place = np.array([[*rows.values()] + [next(iter(rows.values()))] * (most - len(rows))
                                for rows in self._rows])
        self._table = np.array(self._features)[self._place]

    def varies(self) -> np.ndarray:
        """Return (F,) whether each feature tells translations of a clip apart."""
        return np.asarray(np.ptp(self._table, axis=1).max(axis=0) > 0)

    def bleu(self, weights: np.ndarray) -> np.ndarray:
        """Return BLEU-4 of the translations that each row of weights, (W, F), ranks first."""
        chosen = (self._table @ weights.T).argmax(axis=1)
        rows = np.take_along_axis(self._place, chosen, axis=1)
        return bleu_of(self._counts[rows].sum(0))[:, -1]

    def bleu_of_first(self, lists: list[list[Candidate]]) -> float:
        """Return BLEU-4 of the first translation of each clip."""
        rows = [rows[candidates[0].words, candidates[0].features]
                for rows, candidates in zip(self._rows, lists, strict=True)]
        return float(bleu_of(self._counts[rows].sum(0))[-1])
