"""Beam search over a batch of pictures, every array of it at once."""
from __future__ import annotations

import numpy as np

from .context import Context
from .hypothesis import Hypothesis
from .step_net import StepNet
from .vocabulary import EOS
from .word_choice import WordChoice


def beam_search(net: StepNet, choice: WordChoice, context: Context, width: int, max_length: int,
                length_normalisation: float) -> list[list[Hypothesis]]:
    """Return the ``width`` best hypotheses of each picture, best first.

    At each step every growing hypothesis is continued by its ``width`` best words, and the best
    ``width`` of these and of the finished ones are kept. The batch holds growing ones alone.

    Args:
        net: the decoder.
        choice: which words may be used.
        context: P sentences, as the net takes it.
        width: hypotheses kept for a picture.
        max_length: most words, the closing ``<EOS>`` included.
        length_normalisation: a; hypotheses of n words are ranked by ``log p / n**a``.

    Source: section 5.2 of the paper; the LRCN ``captioner.py``.
    """
    beams = Beams(len(context), width, max_length, length_normalisation)
    scores = net.start(context)
    while True:
        ids, log_probs = choice.best(scores, choice.count(width))
        words, parents = beams.extend(ids, log_probs)
        if len(words) == 0 or beams.steps == max_length:
            return beams.hypotheses()
        scores = net.advance(words, parents)


class Beams:
    """The hypotheses of P pictures, in ``width`` slots each, best first.

    Row r of the net's batch belongs to the r-th growing slot, counted picture by picture.

    Args:
        pictures: P.
        width: slots of a picture.
        max_length: most words.
        length_normalisation: a, as in ``beam_search``.
    """

    def __init__(self, pictures: int, width: int, max_length: int,
                 length_normalisation: float) -> None:
        self.length_normalisation = length_normalisation
        self.steps = 0
        self.words = np.zeros((pictures, width, max_length), int)
        self.lengths = np.zeros((pictures, width), int)
        self.log_prob = np.full((pictures, width), -np.inf)  # -inf: the slot is empty
        self.growing = np.zeros((pictures, width), bool)
        self.log_prob[:, 0], self.growing[:, 0] = 0, True  # the empty sentence

    def extend(self, ids: np.ndarray, log_probs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Let the growing hypotheses grow by a word and keep the best of all.

        Args:
            ids: (R, k) the best words after each row.
            log_probs: (R, k) logarithms of their probabilities.

        Returns:
            For the rows of the next batch: their last words, and the rows that they continue.
        """
        pictures, width = self.log_prob.shape
        every, choices = np.arange(pictures)[:, None], ids.shape[1] + 1
        row = np.cumsum(self.growing).reshape(self.growing.shape) - 1
        # WordChoice 0 of a slot is to stay as it is, which only finished ones can.
        candidates = np.full((pictures, width, choices), -np.inf)
        candidates[..., 0] = np.where(self.growing, -np.inf, self.log_prob)
        candidates[self.growing, 1:] = self.log_prob[self.growing][:, None] + log_probs
        best = np.argsort(-self._rank(candidates), axis=1, kind="stable")[:, :width]
        slot, chosen = np.divmod(best, choices)

        self.log_prob = candidates[every, slot, chosen]
        grew = (chosen > 0) & (self.log_prob > -np.inf)
        parents = np.where(grew, row[every, slot], 0)
        last = np.where(grew, ids[parents, chosen - 1], EOS) if len(ids) else np.zeros_like(slot)
        self.words = self.words[every, slot]
        self.words[..., self.steps] = last
        self.lengths = self.lengths[every, slot] + grew
        self.growing = grew & (last != EOS)
        self.steps += 1
        return last[self.growing], parents[self.growing]

    def hypotheses(self) -> list[list[Hypothesis]]:
        """Return the hypotheses of each picture, best first."""
        return [[Hypothesis(words[:length].tolist(), float(log_prob))
                 for words, length, log_prob in zip(*slots, strict=True) if log_prob > -np.inf]
                for slots in zip(self.words, self.lengths, self.log_prob, strict=True)]

    def _rank(self, candidates: np.ndarray) -> np.ndarray:
        """Return what candidates (P, W, k + 1) are ranked by, as (P, W (k + 1))."""
        if self.length_normalisation:
            lengths = np.full(candidates.shape, self.steps + 1)
            lengths[..., 0] = np.maximum(self.lengths, 1)
            candidates = candidates / lengths ** self.length_normalisation
        return candidates.reshape(len(candidates), -1)
