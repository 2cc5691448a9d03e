"""The original evaluation tools, run through the package ``pycocoevalcap``."""
from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np

from .. import hints
from ..errors import BackendError
from .scores import Scores

_NAME = "METEOR 1.5 (official)"


def official_scores(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> Scores:
    """Return all scores as the COCO caption evaluation computes them; it needs Java.

    Args:
        candidates: one caption per picture, as written.
        references: per picture its reference captions.

    Raises:
        BackendError: no Java, or the package ``pycocoevalcap`` is not installed.
    """
    tools = _tools()
    with contextlib.redirect_stdout(io.StringIO()):
        tokenizer = tools.PTBTokenizer()
        result = tokenizer.tokenize({i: [{"caption": text}] for i, text in enumerate(candidates)})
        wanted = tokenizer.tokenize({i: [{"caption": text} for text in texts]
                                     for i, texts in enumerate(references)})
        bleu, bleu_images = tools.Bleu(4).compute_score(wanted, result)
        found = {f"BLEU-{order}": (bleu[order - 1], bleu_images[order - 1])
                 for order in range(1, 5)}
        found["METEOR"] = tools.Meteor().compute_score(wanted, result)
        found["ROUGE-L"] = tools.Rouge().compute_score(wanted, result)
        found["CIDEr-D"] = tools.Cider().compute_score(wanted, result)
    return Scores({metric: float(corpus) for metric, (corpus, _) in found.items()},
                  {metric: np.asarray(images) for metric, (_, images) in found.items()},
                  {"METEOR": _NAME})


def _tools() -> SimpleNamespace:
    try:
        from pycocoevalcap.bleu.bleu import Bleu
        from pycocoevalcap.cider.cider import Cider
        from pycocoevalcap.meteor.meteor import Meteor
        from pycocoevalcap.rouge.rouge import Rouge
        from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer
    except ImportError as error:
        raise BackendError("the official evaluation tools are not installed", got=error,
                           remedy=hints.install("official")) from error
    if shutil.which("java") is None:
        raise BackendError("the official evaluation tools need Java, and there is no 'java'",
                           remedy="Install a Java runtime, or leave --official out") from None
    return SimpleNamespace(Bleu=Bleu, Cider=Cider, Meteor=Meteor, Rouge=Rouge,
                           PTBTokenizer=PTBTokenizer)
