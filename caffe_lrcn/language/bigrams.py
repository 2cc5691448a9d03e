"""Unigram and bigram models of caption streams: what a recurrent language model has to beat.

They are counted and scored on the very files that the net reads, so that the numbers compare.
"""
from __future__ import annotations

import os
from collections import Counter

import numpy as np

from ..paths import resolve
from ..sources.listing import read_file_list
from .stream_checks import read_streams


def read_transitions(listing: str | os.PathLike[str]) -> np.ndarray:
    """Return all (previous word, word) pairs of the streams listed in a file, shape (n, 2).

    Args:
        listing: an ``hdf5_chunk_list.txt``; padded steps are left out.

    Raises:
        DataError: a file is missing or is not a stream file.
    """
    found = []
    for name in read_file_list(os.fspath(listing)):
        path = resolve(name, os.fspath(listing))
        streams = read_streams(path)
        kept = streams.target >= 0
        found.append(np.stack([streams.input[kept], streams.target[kept]], axis=1))
    return np.concatenate(found)


class Bigrams:
    """Interpolated Kneser-Ney bigrams over add-one smoothed unigrams.

    ``p1(w) = (c(w) + 1) / (n + V)``;
    ``p2(w | v) = max(c(v, w) - d, 0) / c(v) + d · t(v) / c(v) · q(w)``, where ``t(v)`` is the
    number of distinct words after ``v``, ``q(w)`` the add-one smoothed share of distinct words
    before ``w``, and ``d = n1 / (n1 + 2 n2)`` from the pairs that occur once and twice. After an
    unseen ``v`` it is ``q(w)``.

    Args:
        transitions: training pairs, shape (n, 2).
        words: V, the number of ids that a target can have.

    Source: Chen and Goodman, "An empirical study of smoothing techniques for language modeling".
    """

    def __init__(self, transitions: np.ndarray, words: int) -> None:
        self.pairs = Counter(map(tuple, transitions.tolist()))
        once, twice = (sum(count == n for count in self.pairs.values()) for n in (1, 2))
        self.discount = once / (once + 2 * twice) if once + twice else 0.5
        self.after = np.bincount(transitions[:, 0], minlength=words)
        seen = np.array(list(self.pairs))
        self.followers = np.bincount(seen[:, 0], minlength=words)
        self.unigram = _add_one(np.bincount(transitions[:, 1], minlength=words))
        self.continuation = _add_one(np.bincount(seen[:, 1], minlength=words))

    def probability(self, previous: int, word: int) -> float:
        """Return p2(word | previous)."""
        base, count = self.continuation[word], self.after[previous]
        if count == 0:
            return float(base)
        seen = max(self.pairs.get((previous, word), 0) - self.discount, 0)
        return float((seen + self.discount * self.followers[previous] * base) / count)

    def perplexities(self, transitions: np.ndarray) -> tuple[float, float]:
        """Return (unigram, bigram) perplexity: exp of the mean of -log p of the targets."""
        unigram = -np.log(self.unigram[transitions[:, 1]]).mean()
        bigram = -np.mean([np.log(self.probability(*pair)) for pair in transitions.tolist()])
        return float(np.exp(unigram)), float(np.exp(bigram))


def _add_one(counts: np.ndarray) -> np.ndarray:
    return (counts + 1) / (counts + 1).sum()
