"""Sentences by a language model that sees nothing: what every learnt system must be far above."""
from __future__ import annotations

from ... import rng
from ...errors import DataError
from ...language.caption_tokens import tokenize
from ...language.ngrams import NGrams
from .roles import Roles
from .translation import sentence


def blind_sentences(roles: Roles, clips: int, seed: int | None = None, order: int = 3) -> list[str]:
    """Return sentences for clips that nobody looks at.

    Args:
        roles: training clips with sentences; their labels are not used.
        clips: how many sentences are wanted.
        seed: of sentences drawn from the model; None: the most probable one for each clip.
        order: of the model's n-grams.

    Raises:
        DataError: the clips have no sentences.
    """
    texts = [words for texts in roles.sentences for text in texts if (words := tokenize(text))]
    if not texts:
        raise DataError("the clips have no sentences to learn from", where=roles.path)
    model = NGrams.from_sentences(texts, order)
    if seed is None:
        return [sentence(model.most_probable())] * clips
    random = rng.generator(seed, "blind sentences")
    return [sentence(model.sample(random)) for _ in range(clips)]
