"""Scores of captions: BLEU, ROUGE-L, CIDEr-D, METEOR and diversity.

``files`` reads results and references, ``ptb`` splits them into tokens, ``scores`` runs all
metrics over them; ``official`` does the same with the original Java tools. The metrics take
tokenised sentences and can be used alone.
"""
from __future__ import annotations

from .bleu import bleu
from .cider import cider_d
from .diversity import Diversity, diversity
from .files import Results, read_references, read_results
from .meteor import Meteor, wordnet
from .ngrams import NgramTable
from .official import official_scores
from .ptb import Tokenizer
from .rouge import rouge_l
from .scores import METRICS, Scores, own_scores, score_humans

__all__ = ["METRICS", "Diversity", "Meteor", "NgramTable", "Results", "Scores", "Tokenizer",
           "bleu", "cider_d", "diversity", "official_scores", "own_scores", "read_references",
           "read_results", "rouge_l", "score_humans", "wordnet"]
