"""The best labels of each slot, and what a table of phrases offers for them."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...errors import DataError
from ...language.ngrams import NGrams
from .phrases import Phrase, PhraseTable
from .roles import Roles

#: Per slot the labels to choose from, the file's own choice first: (number as in
#: ``Roles.tokens``, log probability less that of the file's choice).
Lattice = tuple[tuple[tuple[int, float], ...], ...]

#: What a translation is judged by; the score is the sum of weight times feature.
FEATURES = ("p(words | labels)", "p(labels | words)", "lexical weight of the words",
            "lexical weight of the labels", "labels", "words", "phrases", "language model",
            "distortion")
#: Phrase-based systems start from such weights.
DEFAULT_WEIGHTS = (0.2, 0.2, 0.2, 0.2, 0.5, 0.5, 0.0, 0.5, 0.1)
_LANGUAGE = FEATURES.index("language model")
_FLOOR = -7.0  # log probability that a label without a translation is left out


class Option(NamedTuple):
    """A phrase that can translate the slots from ``first`` to before ``last``.

    Args:
        first, last: the slots.
        words: the words.
        features: the first seven of ``FEATURES``.
        score: their share in the score.
        estimate: of the whole score, the words' context being unknown.
    """

    first: int
    last: int
    words: tuple[str, ...]
    features: tuple[float, ...]
    score: float
    estimate: float


Options = Mapping[tuple[int, int], list[Option]]


def lattices(roles: Roles, width: int = 1) -> list[Lattice]:
    """Return the lattice of each clip.

    Args:
        roles: clips with labels.
        width: labels of each slot; with 1 these are the maxima, and probabilities are not needed.

    Raises:
        DataError: more than one label is asked for, and the file has no probabilities.
    """
    tokens = roles.tokens()
    if width == 1:
        return [tuple(((int(token), 0.0),) for token in row) for row in tokens]
    if roles.probabilities is None:
        raise DataError("a lattice needs the labels' probabilities", where=roles.path,
                        got="maxima only", remedy="Leave out --lattice to translate the maxima.")
    blocks = [roles.block(slot) for slot in range(len(roles.slots))]
    return [tuple(_column(row[block], block.start, token - block.start, width)
                  for block, token in zip(blocks, chosen, strict=True))
            for row, chosen in zip(roles.probabilities, tokens.tolist(), strict=True)]


def _column(chances: np.ndarray, offset: int, chosen: int,
            width: int) -> tuple[tuple[int, float], ...]:
    # The file's own choice comes first: vectors have ties, and a joint maximum may be elsewhere.
    order = sorted(np.flatnonzero(chances > 0).tolist(),
                   key=lambda label: (label != chosen, -chances[label]))
    return tuple((offset + label, float(np.log(chances[label] / chances[chosen])))
                 for label in order[:width])


class Offers:
    """Finds the phrases for a lattice.

    Args:
        table: the phrases.
        model: the language model that estimates how well the words go together.
        weights: of ``FEATURES``.
        limit: so many phrases are kept for the same slots, the best by estimate.
    """

    def __init__(self, table: PhraseTable, model: NGrams, weights: tuple[float, ...],
                 limit: int) -> None:
        self._table, self._model, self._weights, self._limit = table, model, weights, limit
        self._begun = {labels[:size] for labels in table for size in range(1, len(labels) + 1)}

    def __call__(self, lattice: Lattice) -> Options:
        """Return span -> phrases, the best first; each slot has at least one."""
        found: defaultdict[tuple[int, int], list[Option]] = defaultdict(list)
        for first in range(len(lattice)):
            paths: list[tuple[tuple[int, ...], float]] = [((), 0.0)]
            for last in range(first + 1, len(lattice) + 1):
                paths = [((*labels, label), log_prob + more) for labels, log_prob in paths
                         for label, more in lattice[last - 1]]
                for labels, log_prob in paths:
                    found[first, last] += [self._option(first, last, phrase, log_prob)
                                           for phrase in self._phrases(labels)]
                paths = [path for path in paths if path[0] in self._begun]
        return {span: sorted(options, key=lambda option: (-option.estimate, option.words))
                [:self._limit] for span, options in found.items() if options}

    def _phrases(self, labels: tuple[int, ...]) -> list[Phrase]:
        known = self._table.get(labels, [])
        if known or len(labels) > 1:
            return known
        return [Phrase((), (_FLOOR, _FLOOR, 0.0, _FLOOR))]

    def _option(self, first: int, last: int, phrase: Phrase, log_prob: float) -> Option:
        features = (*phrase.scores, log_prob, float(len(phrase.words)), 1.0)
        score = sum(weight * value for weight, value in
                    zip(self._weights, features, strict=False))
        language, _ = self._model.extend((), phrase.words)
        return Option(first, last, phrase.words, features, score,
                      score + self._weights[_LANGUAGE] * language)
