"""From a batch of scores to words: the best ones, random ones, or given ones.

Scores are logits or logarithms of probabilities, (R, V) on the backend: R rows, V words. All
functions return NumPy arrays; logarithms of probabilities are those of the softmax over all V.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backends import Backend
from ..errors import DivergedError
from .step_net import SMALLEST
from .vocabulary import EOS, UNKNOWN

_FLOOR = float(np.log(SMALLEST))
#: Up to so many best words, passes of argmax are faster than a partition (500 x 8801, float32:
#: 0.9 ms a pass, 18 ms for the partition).
_PASSES = 16


@dataclass(frozen=True)
class WordChoice:
    """Which words may be chosen, and how.

    Args:
        backend: of the scores.
        words: only ids below this are chosen.
        block_unknown: never choose ``<unk>``.
    """

    backend: Backend
    words: int
    block_unknown: bool = False

    def count(self, wanted: int) -> int:
        """Return ``wanted``, or the number of words to choose from if that is less."""
        return min(wanted, self.words - (self.block_unknown and self.words > UNKNOWN))

    def best(self, scores: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the best words of each row, best first.

        Args:
            scores: (R, V), overwritten.
            count: how many; at most ``self.count(count)``.

        Returns:
            ids (R, count), and the logarithms of their probabilities, float64.
        """
        xp = self.backend.xp
        unknown = scores[:, UNKNOWN].copy() if self.block_unknown else None
        if unknown is not None:
            scores[:, UNKNOWN] = -xp.inf
        ids = _top(xp, scores[:, :self.words], count)
        rows = xp.arange(len(scores))[:, None]
        chosen = scores[rows, ids]
        if unknown is not None:
            scores[:, UNKNOWN] = unknown
        norms = _log_norms(self.backend, scores)
        return (self.backend.download(ids),
                _floored(self.backend.download(chosen), norms[:, None]))

    def draw(self, scores: Any, rows: np.ndarray, uniform: np.ndarray,
             inverse_temperature: float) -> tuple[np.ndarray, np.ndarray]:
        """Return random words from ``softmax(inverse_temperature * scores)``.

        The words come by inverse distribution.

        Args:
            scores: (R, V), overwritten.
            rows: (S,) from which row each sample is drawn.
            uniform: (S,) random numbers in [0, 1).
            inverse_temperature: factor of the scores, 0 or more; infinity takes the best word.

        Returns:
            ids (S,), and the logarithms of their probabilities at temperature 1, float64.

        Source: section 5 of the paper; the LRCN ``captioner.py``.
        """
        scores = self.backend.download(scores)
        ids = np.empty(len(rows), int)
        order = np.argsort(rows, kind="stable")
        ends = np.searchsorted(rows[order], np.arange(len(scores) + 1))
        for row, (start, end) in enumerate(zip(ends, ends[1:], strict=False)):
            samples = order[start:end]
            if len(samples):
                ids[samples] = self._inverse(scores[row, :self.words], uniform[samples],
                                             inverse_temperature)
        log_probs = scores[rows, ids]
        return ids, _floored(log_probs, _log_norms(self.backend, scores)[rows])

    def given(self, scores: Any, ids: np.ndarray) -> np.ndarray:
        """Return the logarithm of the probability of word ``ids[r]`` in row r, (R,) float64.

        Args:
            scores: (R, V), overwritten.
            ids: (R,).
        """
        xp = self.backend.xp
        chosen = scores[xp.arange(len(scores)), self.backend.upload(ids)]
        return _floored(self.backend.download(chosen), _log_norms(self.backend, scores))

    def _inverse(self, scores: np.ndarray, uniform: np.ndarray,
                 inverse_temperature: float) -> np.ndarray:
        scores = scores.astype(np.float64)
        if self.block_unknown:
            scores[UNKNOWN] = scores.min()
        if np.isinf(inverse_temperature):
            return np.full(len(uniform), scores.argmax())
        shares = np.exp(inverse_temperature * (scores - scores.max()))
        if self.block_unknown:
            shares[UNKNOWN] = 0
        reached = np.cumsum(shares)
        ids = np.searchsorted(reached, uniform * reached[-1], side="right")
        # CAFFE-QUIRK: where rounding leaves a number uncovered, the word is <unk>.
        return np.where(ids < len(reached), ids, EOS if self.block_unknown else UNKNOWN)


def _top(xp: Any, scores: Any, count: int) -> Any:
    """Return the ids of the highest scores of each row, (R, count), highest first."""
    if count > _PASSES:
        ids = xp.sort(xp.argpartition(scores, scores.shape[1] - count, axis=1)[:, -count:], axis=1)
        values = xp.take_along_axis(scores, ids, axis=1)
        return xp.take_along_axis(ids, xp.argsort(-values, axis=1, kind="stable"), axis=1)
    rows = xp.arange(len(scores))
    ids = xp.empty((len(scores), count), int)
    values = xp.empty((len(scores), count), scores.dtype)
    for i in range(count):
        ids[:, i] = scores.argmax(axis=1)
        values[:, i] = scores[rows, ids[:, i]]
        scores[rows, ids[:, i]] = -xp.inf
    scores[rows[:, None], ids] = values
    return ids


def _log_norms(backend: Backend, scores: Any) -> np.ndarray:
    """Return ``log(sum(exp(scores)))`` of each row, float64; ``scores`` are overwritten."""
    highest = scores.max(axis=1, keepdims=True)
    np.subtract(scores, highest, out=scores)  # NumPy's ufuncs run where the array lives
    np.exp(scores, out=scores)
    sums = backend.download(scores.sum(axis=1)).astype(np.float64)
    norms = np.log(sums) + backend.download(highest)[:, 0]
    if not np.isfinite(norms).all():
        raise DivergedError("the decoder's scores are not finite",
                            remedy="Its weights hold NaN or infinity: training diverged.")
    return norms


def _floored(scores: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """Return logarithms of probabilities, at least that of 1e-12."""
    return np.maximum(scores.astype(np.float64) - norms, _FLOOR)
