"""How much captions differ from what was trained on."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from ..language.ptb_tokens import PTBTokenizer


@dataclass(frozen=True)
class Diversity:
    """Diversity of a set of captions.

    Args:
        copied: share of the captions that equal a training caption, or None without training
            captions.
        vocabulary: share of the references' words that any caption uses.
        used, words: the two counts behind ``vocabulary``.
    """

    copied: float | None
    vocabulary: float
    used: int
    words: int


def diversity(candidates: Sequence[str], references: Sequence[Sequence[str]],
              train: Iterable[str] | None = None,
              tokenizer: PTBTokenizer | None = None) -> Diversity:
    """Return the diversity of captions; equal means equal tokens, without punctuation and case.

    Args:
        candidates: the captions, at least one.
        references: per picture its reference captions.
        train: all training captions.
        tokenizer: the one to use again.

    Source: paper, section 5.1.2.
    """
    tokenizer = tokenizer or PTBTokenizer()
    split = [tuple(tokenizer(text)) for text in candidates]
    wanted = set(chain.from_iterable(tokenizer(text) for texts in references for text in texts))
    used = wanted.intersection(chain.from_iterable(split))
    copied = None
    if train is not None:
        known = {tuple(tokenizer(text)) for text in train}
        copied = sum(caption in known for caption in split) / len(split)
    return Diversity(copied, len(used) / len(wanted) if wanted else 0.0, len(used), len(wanted))
