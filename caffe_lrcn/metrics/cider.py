"""CIDEr-D of a corpus and of each picture."""
from __future__ import annotations

import numpy as np

from .ngrams import ORDERS, Counts, NgramTable, find


def cider_d(table: NgramTable, sigma: float = 6.0) -> tuple[float, np.ndarray]:
    """Return CIDEr-D over all pictures (the mean) and of each picture, (N,).

    CIDEr-D = 10/4 sum_n mean_r e^(-(l_c - l_r)^2 / 2 sigma^2) <min(c_n, r_n), r_n> / |c_n| |r_n|
    with c_n and r_n the vectors of tf-idf of a candidate's and a reference's n-grams. The inverse
    document frequency is log N - log(number of pictures with the n-gram in a reference).

    Args:
        table: the n-grams of N pictures; their references also give the document frequencies.
        sigma: width of the penalty for unequal lengths, in words.

    Source: Vedantam et al. 2015, in the form of the COCO caption evaluation.
    """
    length = np.maximum(table.candidate_length - 1, 0)[table.owner]
    difference = (length - np.maximum(table.reference_length - 1, 0)).astype(np.float64)
    likeness = np.exp(-difference ** 2 / (2 * sigma ** 2))
    total = sum(_similarity(table, order) for order in range(ORDERS)) * likeness
    references = np.bincount(table.owner, minlength=table.images)
    sums = np.bincount(table.owner, total, minlength=table.images)
    scores = 10.0 / ORDERS * sums / references
    return float(scores.mean()), scores


def _similarity(table: NgramTable, order: int) -> np.ndarray:
    """Return (R,) clipped cosine of each reference's n-grams with its candidate's."""
    candidate, reference = table.candidate[order], table.reference[order]
    kinds = table.grams[order]
    if not len(candidate.gram):
        return np.zeros(len(table.owner))
    idf = inverse_document_frequency(table, order)
    candidate_value = candidate.count * idf[candidate.gram]
    reference_value = reference.count * idf[reference.gram]
    place, found = find(candidate.sentence * kinds + candidate.gram,
                        table.owner[reference.sentence] * kinds + reference.gram)
    shared = np.where(found, np.minimum(candidate_value[place], reference_value), 0.0)
    product = np.bincount(reference.sentence, shared * reference_value,
                          minlength=len(table.owner))
    norm = (_norm(candidate, candidate_value, table.images)[table.owner]
            * _norm(reference, reference_value, len(table.owner)))
    return np.divide(product, norm, out=np.zeros(len(product)), where=norm > 0)


def _norm(counts: Counts, value: np.ndarray, sentences: int) -> np.ndarray:
    return np.sqrt(np.bincount(counts.sentence, value * value, minlength=sentences))


def inverse_document_frequency(table: NgramTable, order: int) -> np.ndarray:
    """Return (G,) log N - log(number of pictures with the n-gram in a reference), at least one.

    Args:
        table: N pictures and their references.
        order: 0 for single words, up to 3.
    """
    reference, kinds = table.reference[order], table.grams[order]
    pairs = np.unique(table.owner[reference.sentence] * kinds + reference.gram)
    frequency = np.bincount(pairs % kinds, minlength=kinds)
    return np.log(table.images) - np.log(np.maximum(frequency, 1))
