"""All metrics over one set of captions."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import DataError
from ..language.ptb_tokens import PTBTokenizer
from .bleu import bleu
from .cider import cider_d
from .meteor import Meteor
from .ngrams import ORDERS, NgramTable
from .rouge import rouge_l

METRICS = (*(f"BLEU-{order}" for order in range(1, ORDERS + 1)), "METEOR", "ROUGE-L", "CIDEr-D")


@dataclass(frozen=True)
class Scores:
    """What one set of captions scores.

    Args:
        corpus: metric of ``METRICS`` -> score of all pictures together.
        per_image: metric -> (N,) score of each picture.
        names: full names of metrics that come in variants: ``METEOR`` with its modules.
    """

    corpus: dict[str, float]
    per_image: dict[str, np.ndarray]
    names: dict[str, str] = field(default_factory=dict)

    def name(self, metric: str) -> str:
        """Return the name to show for a metric."""
        return self.names.get(metric, metric)


Scorer = Callable[[Sequence[str], Sequence[Sequence[str]]], Scores]


def own_scores(candidates: Sequence[str], references: Sequence[Sequence[str]], *,
               tokenizer: PTBTokenizer | None = None, meteor: Meteor | None = None) -> Scores:
    """Return all scores, computed here.

    Args:
        candidates: one caption per picture, as written.
        references: per picture its reference captions, at least one each.
        tokenizer: the one to use again; it remembers words.
        meteor: the one to use; exact and stem matches only if absent.

    Raises:
        DataError: no pictures at all, or one without references.
    """
    _check(candidates, references)
    tokenizer, meteor = tokenizer or PTBTokenizer(), meteor or Meteor()
    split = [" ".join(tokenizer(text)) for text in candidates]
    wanted = [[" ".join(tokenizer(text)) for text in texts] for texts in references]
    table = NgramTable(split, wanted)
    corpus_bleu, image_bleu = bleu(table)
    found = {f"BLEU-{order}": (float(corpus_bleu[order - 1]), image_bleu[:, order - 1])
             for order in range(1, ORDERS + 1)}
    found["METEOR"] = meteor(split, wanted)
    found["ROUGE-L"] = rouge_l(split, wanted)
    found["CIDEr-D"] = cider_d(table)
    return Scores({metric: corpus for metric, (corpus, _) in found.items()},
                  {metric: images for metric, (_, images) in found.items()},
                  {"METEOR": meteor.name})


def score_humans(references: Sequence[Sequence[str]], scorer: Scorer) -> Scores:
    """Return what people score: each reference as the caption, against the others.

    In round k the k-th reference of every picture that has so many is the caption. The scores are
    the means over the rounds, weighted by their pictures; of each picture the mean over its own.

    Args:
        references: per picture its references; pictures with fewer than two are left out, and
            their scores are NaN.
        scorer: ``own_scores`` or ``official_scores``.

    Raises:
        DataError: no picture has two references.
    """
    rounds = max((len(texts) for texts in references), default=0)
    images = np.array([len(texts) for texts in references])
    totals = dict.fromkeys(METRICS, 0.0)
    sums = {metric: np.zeros(len(references)) for metric in METRICS}
    counted, names = 0, {}
    for k in range(rounds):
        chosen = np.flatnonzero((images > k) & (images > 1))
        if not len(chosen):
            continue
        scores = scorer([references[i][k] for i in chosen],
                        [[*references[i][:k], *references[i][k + 1:]] for i in chosen])
        counted, names = counted + len(chosen), scores.names
        for metric in METRICS:
            totals[metric] += scores.corpus[metric] * len(chosen)
            sums[metric][chosen] += scores.per_image[metric]
    if not counted:
        raise DataError("people cannot be compared: no picture has two references")
    own = np.where(images > 1, images, np.nan)
    return Scores({metric: total / counted for metric, total in totals.items()},
                  {metric: values / own for metric, values in sums.items()}, names)


def _check(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> None:
    if not len(candidates):
        raise DataError("there are no captions to score")
    if len(candidates) != len(references):
        raise DataError("captions and references do not belong together",
                        got=f"{len(candidates)} captions, references of {len(references)} pictures")
    for index, texts in enumerate(references):
        if not texts:
            raise DataError(f"caption {index} has no references")
