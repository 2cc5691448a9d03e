"""Scores of captions: BLEU, ROUGE-L, CIDEr-D, METEOR and diversity.

``scores`` runs all metrics over captions and references as written, ``official`` does the same with
the original Java tools. The metrics take tokenised sentences and can be used alone. Reading files
and splitting sentences into tokens belong to ``caffe_lrcn.language``; no net is imported.
"""
from __future__ import annotations

from ..language.caption_files import read_references
from ..language.result_files import Results, read_results
from .bleu import bleu
from .cider import cider_d
from .diversity import Diversity, diversity
from .meteor import Meteor, wordnet
from .ngrams import NgramTable
from .official import official_scores
from .rouge import rouge_l
from .scores import METRICS, Scores, own_scores, score_humans

__all__ = ["METRICS", "Diversity", "Meteor", "NgramTable", "Results", "Scores", "bleu", "cider_d",
           "diversity", "official_scores", "own_scores", "read_references", "read_results",
           "rouge_l", "score_humans", "wordnet"]
