"""METEOR 1.5 of a corpus and of each picture."""
from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from .meteor_align import align, chunks
from .meteor_search import EXACT, PARAPHRASE, STEM, SYNONYM, Match
from .meteor_words import Preparer, Sentence, Synonyms, split_words
from .paraphrases import ParaphraseTable

# English, trained to rank systems as people do.
ALPHA, BETA, GAMMA, DELTA = 0.85, 0.2, 0.6, 0.75
WEIGHTS = np.array([1.0, 0.6, 0.8, 0.6])
_NAMES = {EXACT: "exact", STEM: "stem", SYNONYM: "synonym", PARAPHRASE: "paraphrase"}
_MODULES = len(WEIGHTS)

# One row of sufficient statistics: words and function words of candidate and reference, chunks,
# then matched words per module: candidate's content and function words, reference's likewise.
_CANDIDATE, _REFERENCE, _CANDIDATE_FUNCTION, _REFERENCE_FUNCTION, _CHUNKS, _MATCHES = range(6)
_STATISTICS = _MATCHES + 4 * _MODULES


class Meteor:
    """Scores candidates with METEOR 1.5.

    Args:
        synonyms: gives the synsets of a word; None leaves the synonym module out. See
            ``wordnet``.
        paraphrases: METEOR's paraphrase table; None leaves that module out.

    Attributes:
        name: ``METEOR`` and the modules that ran, such as ``METEOR (exact+stem)``. Only figures
            under one name compare.

    Source: Denkowski and Lavie 2014.
    """

    def __init__(self, synonyms: Synonyms | None = None,
                 paraphrases: str | Path | None = None) -> None:
        self._prepare = Preparer(synonyms)
        self._paraphrases = paraphrases
        modules = [EXACT, STEM, *([SYNONYM] if synonyms else ()),
                   *([PARAPHRASE] if paraphrases else ())]
        self.name = f"METEOR ({'+'.join(_NAMES[module] for module in modules)})"

    def __call__(self, candidates: Sequence[str],
                 references: Sequence[Sequence[str]]) -> tuple[float, np.ndarray]:
        """Return METEOR of all pictures together and of each picture, (N,).

        F = P R / (alpha P + (1 - alpha) R), METEOR = F (1 - gamma (chunks / matches)^beta). P and
        R are weighted shares of matched words: delta for content words, 1 - delta for function
        words, and a weight per module. The reference with the best score counts; over a corpus its
        counts are summed first.

        Args:
            candidates: one tokenised sentence per picture.
            references: per picture its tokenised references.

        Raises:
            DataError: a paraphrase table that cannot be read.
        """
        table = self._table(candidates, references)
        rows = np.array([row for candidate, texts in zip(candidates, references, strict=True)
                         for row in self._rows(candidate, texts, table)])
        scores = score(rows.reshape(-1, _STATISTICS))
        best = _best(scores, [len(texts) for texts in references])
        total = rows[best]
        total[_is_whole(total), _CHUNKS] = 0
        return float(score(total.sum(0, keepdims=True))[0]), scores[best]

    def _rows(self, candidate: str, references: Sequence[str],
              table: ParaphraseTable | None) -> list[list[int]]:
        first = self._prepare(candidate)
        prepared = [self._prepare(text) for text in references]
        return [_statistics(first, second, align(first, second, table)) for second in prepared]

    def _table(self, candidates: Sequence[str],
               references: Sequence[Sequence[str]]) -> ParaphraseTable | None:
        if self._paraphrases is None:
            return None
        words = {word for text in chain(candidates, *references) for word in split_words(text)}
        return ParaphraseTable.read(self._paraphrases, words)


def wordnet() -> Synonyms | None:
    """Return a lookup of a word's synsets in WordNet, or None where it is not installed.

    ``python -m nltk.downloader wordnet`` installs it.
    """
    try:
        from nltk.corpus import wordnet as database
        database.ensure_loaded()
    except LookupError:
        return None
    return lambda word: frozenset(synset.name() for synset in database.synsets(word))


def score(rows: np.ndarray) -> np.ndarray:
    """Return (N,) METEOR of (N, S) rows of counts; see ``Meteor`` for the formula."""
    matches = rows[:, _MATCHES:].reshape(-1, 4, _MODULES)
    weighted = matches @ WEIGHTS
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = ((DELTA * weighted[:, 0] + (1 - DELTA) * weighted[:, 1])
                     / _weighted_length(rows[:, _CANDIDATE], rows[:, _CANDIDATE_FUNCTION]))
        recall = ((DELTA * weighted[:, 2] + (1 - DELTA) * weighted[:, 3])
                  / _weighted_length(rows[:, _REFERENCE], rows[:, _REFERENCE_FUNCTION]))
        mean = 1 / ((1 - ALPHA) / precision + ALPHA / recall)
        fragmentation = rows[:, _CHUNKS] / (matches.sum((1, 2)) / 2)
    penalty = GAMMA * np.where(_is_whole(rows), 0.0, fragmentation) ** BETA
    return np.maximum(np.nan_to_num(mean * (1 - penalty), nan=0.0), 0.0)


def _is_whole(rows: np.ndarray) -> np.ndarray:
    """Return (N,) whether every word matches, in one chunk, which goes without a penalty."""
    matches = rows[:, _MATCHES:].reshape(-1, 4, _MODULES)
    return ((matches[:, :2].sum((1, 2)) == rows[:, _CANDIDATE])
            & (matches[:, 2:].sum((1, 2)) == rows[:, _REFERENCE]) & (rows[:, _CHUNKS] == 1))


def _weighted_length(words: np.ndarray, function: np.ndarray) -> np.ndarray:
    return DELTA * (words - function) + (1 - DELTA) * function


def _statistics(candidate: Sentence, reference: Sentence, matches: list[Match]) -> list[int]:
    row = [0] * _STATISTICS
    row[:_MATCHES] = (len(candidate.words), len(reference.words), sum(candidate.function),
                      sum(reference.function), chunks(matches))
    for match in matches:
        for place in range(match.place, match.place + match.width):
            row[_MATCHES + candidate.function[place] * _MODULES + match.module] += 1
        for start in range(match.start, match.start + match.length):
            row[_MATCHES + (2 + reference.function[start]) * _MODULES + match.module] += 1
    return row


def _best(scores: np.ndarray, references: Sequence[int]) -> np.ndarray:
    """Return (N,) index of each picture's best reference, the first of equal ones."""
    first = np.cumsum([0, *references[:-1]])
    return np.array([start + int(np.argmax(scores[start:start + count]))
                     for start, count in zip(first, references, strict=True)])
