"""BLEU-1 to BLEU-4 of a corpus and of each picture."""
from __future__ import annotations

import numpy as np

from .ngrams import ORDERS, Counts, NgramTable, find

# Keep quotients of zeros defined without showing in the first nine digits.
_TINY, _SMALL = 1e-15, 1e-9


def bleu(table: NgramTable) -> tuple[np.ndarray, np.ndarray]:
    """Return BLEU-1..4 of all pictures together, (4,), and of each picture, (N, 4).

    BLEU-n = min(1, e^(1 - r/c)) (p_1 ... p_n)^(1/n), where p_k is the share of the candidate's
    k-grams that are in a reference (each counted at most as often as in the reference that has it
    most often), c the candidate's length, r the length of the reference closest to it, the shorter
    one of two equally close. Over a corpus, counts and lengths are summed first.

    Source: Papineni et al. 2002, in the form of the COCO caption evaluation.
    """
    counts = bleu_counts(table)
    return bleu_of(counts.sum(0)), bleu_of(counts)


def bleu_counts(table: NgramTable) -> np.ndarray:
    """Return (N, 10) what BLEU is computed from, which may be summed over pictures.

    Of each picture: right n-grams of four orders, n-grams of four orders, c and r.
    """
    correct = np.stack([_correct(table, order) for order in range(ORDERS)], axis=1)
    length = table.candidate_length
    guesses = np.maximum(length[:, None] - np.arange(ORDERS), 0)
    return np.column_stack([correct, guesses, length, _closest_length(table)])


def bleu_of(counts: np.ndarray) -> np.ndarray:
    """Return BLEU-1..4 of counts, (..., 10) -> (..., 4)."""
    correct, guesses = counts[..., :ORDERS], counts[..., ORDERS:2 * ORDERS]
    length, closest = counts[..., -2], counts[..., -1]
    product = np.cumprod((correct + _TINY) / (guesses + _SMALL), axis=-1)
    score = product ** (1 / np.arange(1, ORDERS + 1))
    ratio = (length + _TINY) / (closest + _SMALL)
    # An empty candidate has a ratio so small that its penalty underflows to the right value, 0.
    return score * np.exp(np.minimum(1 - 1 / ratio, 0))[..., None]


def _correct(table: NgramTable, order: int) -> np.ndarray:
    """Return (N,) how many of each candidate's n-grams are right."""
    candidate, kinds = table.candidate[order], table.grams[order]
    keys, most = _most_often(table.reference[order], table.owner, kinds)
    if not len(keys):
        return np.zeros(table.images)
    place, found = find(keys, candidate.sentence * kinds + candidate.gram)
    right = np.where(found, np.minimum(candidate.count, most[place]), 0)
    return np.bincount(candidate.sentence, right, minlength=table.images)


def _most_often(reference: Counts, owner: np.ndarray, kinds: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sorted keys, picture * kinds + n-gram, and the largest count in one reference."""
    keys = owner[reference.sentence] * kinds + reference.gram
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], reference.count[order]
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    return keys[first], np.maximum.reduceat(counts, first) if len(first) else counts


def _closest_length(table: NgramTable) -> np.ndarray:
    distance = np.abs(table.reference_length - table.candidate_length[table.owner])
    order = np.lexsort((table.reference_length, distance, table.owner))
    first = np.flatnonzero(np.diff(table.owner[order], prepend=-1))
    return table.reference_length[order[first]]
