"""Counts of all word groups of candidates and references, as flat arrays."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

ORDERS = 4


@dataclass(frozen=True)
class Counts:
    """How often each sentence has each n-gram, sorted by sentence and n-gram.

    Args:
        sentence: (E,) number of the sentence.
        gram: (E,) number of the n-gram.
        count: (E,) how often it occurs there; at least 1.
    """

    sentence: np.ndarray
    gram: np.ndarray
    count: np.ndarray


class NgramTable:
    """The n-grams, n = 1 to 4, of candidates and of their references.

    Args:
        candidates: one tokenised sentence per picture; tokens are separated by blanks.
        references: per picture its tokenised references.

    Attributes:
        images: number of pictures.
        owner: (R,) picture of each reference.
        candidate_length, reference_length: (N,) and (R,) words per sentence.
        grams: per order, how many different n-grams there are.
        candidate, reference: per order the ``Counts``.
    """

    def __init__(self, candidates: Sequence[str], references: Sequence[Sequence[str]]) -> None:
        self.images = len(candidates)
        per_image = np.array([len(texts) for texts in references], np.int64)
        self.owner = np.repeat(np.arange(self.images), per_image)
        sentences = [text.split() for text in chain(candidates, chain.from_iterable(references))]
        lengths = np.array([len(words) for words in sentences], np.int64)
        self.candidate_length = lengths[:self.images]
        self.reference_length = lengths[self.images:]
        self.grams: list[int] = []
        self.candidate: list[Counts] = []
        self.reference: list[Counts] = []
        self._count(_word_ids(sentences), np.repeat(np.arange(len(lengths)), lengths))

    def _count(self, word: np.ndarray, sentence: np.ndarray) -> None:
        words = int(word.max(initial=-1)) + 1
        gram = word
        for order in range(1, ORDERS + 1):
            if order > 1:
                # The n-gram at i is the (n-1)-gram at i followed by the last of the n words,
                # where these are of one sentence; equal ones get equal numbers.
                inside = sentence[:len(gram) - 1] == sentence[order - 1:]
                start = np.flatnonzero(inside)
                pairs = np.full(max(len(gram) - 1, 0), -1, np.int64)
                pairs[start] = gram[start] * words + word[start + order - 1]
                gram = np.unique(pairs, return_inverse=True)[1].reshape(-1)
            else:
                start = np.arange(len(gram))
            kinds = int(gram.max(initial=-1)) + 1
            self.grams.append(kinds)
            self._store(_counted(sentence[start], gram[start], kinds))

    def _store(self, counts: Counts) -> None:
        border = np.searchsorted(counts.sentence, self.images)
        self.candidate.append(Counts(counts.sentence[:border], counts.gram[:border],
                                     counts.count[:border]))
        self.reference.append(Counts(counts.sentence[border:] - self.images, counts.gram[border:],
                                     counts.count[border:]))


def find(keys: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (place, found): where each wanted key stands in sorted ``keys``, and whether it does.

    ``place`` is only meaningful, but always a valid index, where ``found`` is False; ``keys`` must
    not be empty.
    """
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return place, keys[place] == wanted


def _counted(sentence: np.ndarray, gram: np.ndarray, kinds: int) -> Counts:
    keys, count = np.unique(sentence * kinds + gram, return_counts=True)
    if not len(keys):
        return Counts(keys, keys, count)
    return Counts(keys // kinds, keys % kinds, count)


def _word_ids(sentences: Sequence[Sequence[str]]) -> np.ndarray:
    words = list(chain.from_iterable(sentences))
    ids = {word: number for number, word in enumerate(dict.fromkeys(words))}
    return np.fromiter(map(ids.__getitem__, words), np.int64, len(words))
