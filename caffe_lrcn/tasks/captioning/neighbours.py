"""Captions without a net: what people wrote of the most similar training pictures.

For each picture, the captions of its nearest training pictures are candidates; the one that is
most like the others, their consensus, becomes the picture's caption.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...errors import ShapeError, UsageError
from ...language.ptb_tokens import PTBTokenizer
from ...metrics.cider import inverse_document_frequency
from ...metrics.ngrams import ORDERS, NgramTable

SIMILARITIES = ("cider-d", "bleu-4")
_SIGMA = 6.0  # of CIDEr-D's penalty for unequal lengths, in words
_TINY, _SMALL = 1e-15, 1e-9  # as in BLEU of a corpus
_BLOCK = 256


def nearest(features: np.ndarray, queries: np.ndarray, count: int) -> np.ndarray:
    """Return the rows of ``features`` nearest to each query by cosine, nearest first, (Q, count).

    Equally near rows come in their order; a row of zeros is at right angles to everything.

    Args:
        features: (P, F).
        queries: (Q, F).
        count: how many; all P if there are fewer.

    Raises:
        ShapeError: the arrays are not of one width.
        UsageError: a count below 1, or features with NaN or infinity.
    """
    if features.ndim != 2 or queries.ndim != 2 or features.shape[1] != queries.shape[1]:
        raise ShapeError("features and queries are not of one width",
                         got=f"{features.shape} and {queries.shape}", wanted="(P, F) and (Q, F)")
    if count < 1:
        raise UsageError("at least one neighbour is needed", got=count)
    features, queries = _unit_rows(features), _unit_rows(queries)
    found = np.empty((len(queries), min(count, len(features))), np.int64)
    for start in range(0, len(queries), _BLOCK):
        cosine = queries[start:start + _BLOCK] @ features.T
        for row, values in enumerate(cosine, start):
            found[row] = _largest(values, found.shape[1])
    return found


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """Return where the largest values are, falling, equal ones in their order."""
    least = np.partition(values, len(values) - count)[len(values) - count]
    where = np.flatnonzero(values >= least)
    return where[np.argsort(-values[where], kind="stable")][:count]


class Consensus:
    """Chooses among the captions of training pictures the one most like the others.

    Args:
        captions: per picture its captions, as written; captions without words are never chosen.
        similarity: ``cider-d`` (document frequencies from these captions) or ``bleu-4``.
        best: how many of the other candidates count, the most similar ones: a few strange
            neighbours do no harm.

    Source: Devlin et al. 2015, "Exploring nearest neighbor approaches for image captioning".
    """

    def __init__(self, captions: Sequence[Sequence[str]], similarity: str = "cider-d",
                 best: int = 125) -> None:
        if similarity not in SIMILARITIES:
            raise UsageError("there is no such similarity", got=similarity,
                             wanted=" or ".join(SIMILARITIES))
        if best < 1:
            raise UsageError("at least one candidate must count", got=best)
        tokenizer = PTBTokenizer()
        self.texts = [text for texts in captions for text in texts]
        self.similarity, self.best = similarity, best
        self._table = NgramTable([""] * len(captions), [
            [" ".join(tokenizer(text)) for text in texts] for texts in captions])
        self._idf = [inverse_document_frequency(self._table, order) for order in range(ORDERS)]

    def caption(self, pictures: np.ndarray) -> tuple[str, float] | None:
        """Return the consensus caption of some pictures and its mean similarity to the others.

        Among equals it is the one of the picture named first; None if no caption has words.

        Args:
            pictures: their numbers, nearest first.
        """
        sentences = self._sentences(pictures)
        if not len(sentences):
            return None
        likeness = self.matrix(sentences)
        np.fill_diagonal(likeness, -np.inf)
        others = -np.sort(-likeness, axis=1)[:, :min(self.best, len(sentences) - 1)]
        score = others.mean(axis=1) if others.size else np.zeros(len(sentences))
        chosen = int(np.argmax(score))
        return self.texts[sentences[chosen]], float(score[chosen])

    def matrix(self, sentences: np.ndarray) -> np.ndarray:
        """Return (S, S): the score of each sentence (row) held against each other one (column)."""
        return {"cider-d": self._cider_d, "bleu-4": self._bleu}[self.similarity](sentences)

    def _sentences(self, pictures: np.ndarray) -> np.ndarray:
        first, last = (np.searchsorted(self._table.owner, pictures, side) for side in
                       ("left", "right"))
        sentences = _ranges(first, last)
        return sentences[self._table.reference_length[sentences] > 0]

    def _cider_d(self, sentences: np.ndarray) -> np.ndarray:
        total = np.zeros((len(sentences), len(sentences)))
        for order, (row, gram, count) in enumerate(self._counts(sentences)):
            squared = self._idf[order][gram] ** 2
            norm = np.sqrt(np.bincount(row, squared * count ** 2, minlength=len(sentences)))
            shared = _shared(row, gram, count, squared * count, len(sentences))
            product = np.outer(norm, norm)
            total += np.divide(shared, product, out=np.zeros_like(shared), where=product > 0)
        length = self._table.reference_length[sentences].astype(np.float64)
        difference = length[:, None] - length
        return 10 / ORDERS * total * np.exp(-difference ** 2 / (2 * _SIGMA ** 2))

    def _bleu(self, sentences: np.ndarray) -> np.ndarray:
        length = self._table.reference_length[sentences].astype(np.float64)
        product = np.ones((len(sentences), len(sentences)))
        for order, (row, gram, count) in enumerate(self._counts(sentences)):
            right = _shared(row, gram, count, np.ones(len(row)), len(sentences))
            guesses = np.maximum(length - order, 0)[:, None]
            product *= (right + _TINY) / (guesses + _SMALL)
        ratio = (length[:, None] + _TINY) / (length + _SMALL)
        return product ** (1 / ORDERS) * np.exp(np.minimum(1 - 1 / ratio, 0))

    def _counts(self, sentences: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
        """Yield per order (row in ``sentences``, n-gram, count) of all their n-grams."""
        for counts in self._table.reference:
            first, last = (np.searchsorted(counts.sentence, sentences, side) for side in
                           ("left", "right"))
            entries = _ranges(first, last)
            yield (np.repeat(np.arange(len(sentences)), last - first), counts.gram[entries],
                   counts.count[entries])


def _shared(row: np.ndarray, gram: np.ndarray, count: np.ndarray, value: np.ndarray,
            rows: int) -> np.ndarray:
    """Return (rows, rows): entry i, j sums min(count_i, count_j) * value_j over the n-grams."""
    # Only what two rows have is shared; the diagonal is of no interest.
    _, column, owners = np.unique(gram, return_inverse=True, return_counts=True)
    common = owners[column] > 1
    total = np.zeros((rows, rows))
    for least in range(1, int(count.max(initial=0)) + 1):
        # min(a, b) is the number of thresholds that both reach.
        reach = common & (count >= least)
        kinds, place = np.unique(gram[reach], return_inverse=True)
        left = np.zeros((rows, len(kinds)))
        right = np.zeros_like(left)
        left[row[reach], place] = 1
        right[row[reach], place] = value[reach]
        total += left @ right.T
    return total


def _ranges(first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Return first[0] … last[0] - 1, first[1] … last[1] - 1 and so on."""
    size = last - first
    before = np.cumsum(size) - size
    return np.arange(size.sum()) + np.repeat(first - before, size)


def _unit_rows(array: np.ndarray) -> np.ndarray:
    array = np.asarray(array, np.float32)
    if not np.isfinite(array).all():
        raise UsageError("the features hold NaN or infinity")
    norm = np.linalg.norm(array, axis=1, keepdims=True)
    return np.divide(array, norm, out=np.zeros_like(array), where=norm > 0)
