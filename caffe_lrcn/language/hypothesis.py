"""What a decoder proposes."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Hypothesis:
    """A caption that a decoder proposes.

    Args:
        words: its word ids, the closing ``<EOS>`` (0) included unless it was cut off.
        log_prob: natural logarithm of its probability.
    """

    words: list[int]
    log_prob: float


def ranked(hypotheses: Iterable[Hypothesis]) -> list[Hypothesis]:
    """Return hypotheses by falling probability."""
    return sorted(hypotheses, key=lambda hypothesis: -hypothesis.log_prob)
