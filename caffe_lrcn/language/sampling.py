"""Random captions, and the probabilities of given ones, over a batch of pictures."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .context import Context
from .hypothesis import Hypothesis, ranked
from .step_net import StepNet
from .vocabulary import EOS
from .word_choice import WordChoice


def sample_captions(net: StepNet, choice: WordChoice, context: Context, uniform: np.ndarray,
                    inverse_temperature: float) -> list[list[Hypothesis]]:
    """Return random captions of each picture, the most probable first.

    Samples that agree so far share a row of the batch.

    Args:
        net: the decoder.
        choice: which words may be used.
        context: P sentences, as the net takes it.
        uniform: (P, num, max_length) random numbers in [0, 1).
        inverse_temperature: factor of the scores; ``log_prob`` is for 1 whatever it is.
    """
    pictures, num, max_length = uniform.shape
    uniform = uniform.reshape(-1, max_length)
    words = np.zeros((len(uniform), max_length), int)
    lengths, log_prob = np.full(len(uniform), max_length), np.zeros(len(uniform))
    samples = np.arange(len(uniform))  # those that still grow
    rows = samples // num
    scores = net.start(context)
    for step in range(max_length):
        ids, log_probs = choice.draw(scores, rows, uniform[samples, step],
                                      inverse_temperature)
        words[samples, step] = ids
        log_prob[samples] += log_probs
        lengths[samples[ids == EOS]] = step + 1
        grows = ids != EOS
        samples, pairs = samples[grows], rows[grows] * net.classes + ids[grows]
        if len(samples) == 0 or step + 1 == max_length:
            break
        distinct, rows = np.unique(pairs, return_inverse=True)
        scores = net.advance(distinct % net.classes, distinct // net.classes)
    found = [Hypothesis(ids[:length].tolist(), float(value))
             for ids, length, value in zip(words, lengths, log_prob, strict=True)]
    return [ranked(found[i * num:(i + 1) * num]) for i in range(pictures)]


def score_captions(net: StepNet, choice: WordChoice, context: Context,
                   captions: Sequence[Sequence[int]]) -> list[list[float]]:
    """Return the logarithm of the probability of each word, given those before it.

    Args:
        net: the decoder.
        choice: holds the backend.
        context: P sentences, as the net takes it.
        captions: P lists of word ids; the closing ``<EOS>`` counts if it is there.
    """
    found: list[list[float]] = [[] for _ in captions]
    lengths = np.array([len(words) for words in captions])
    open_ones = np.flatnonzero(lengths)
    if len(open_ones) == 0:
        return found
    scores, step = net.start(context.rows(open_ones)), 0
    while True:
        ids = np.array([captions[i][step] for i in open_ones])
        for i, value in zip(open_ones, choice.given(scores, ids), strict=True):
            found[i].append(float(value))
        step += 1
        kept = np.flatnonzero(lengths[open_ones] > step)
        if len(kept) == 0:
            return found
        open_ones = open_ones[kept]
        scores = net.advance(ids[kept], kept)
