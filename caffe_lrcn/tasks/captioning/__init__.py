"""Image captioning: from caption files to HDF5 streams, and from trained nets back to sentences.

In the order the data flows: ``datasets`` reads caption files, ``tokenize`` and ``vocabulary`` turn
text into word ids, ``streams`` lays the ids out in time and writes them, ``prepare`` does all that
for one command, ``pictures`` and ``decode`` caption pictures with a trained net, ``neighbours``
captions them without one, ``ngram`` is what a language model has to beat.
"""
from __future__ import annotations

from .datasets import Caption, read_captions, split_by_picture
from .decode import Decoder
from .hypothesis import Hypothesis
from .pictures import FeatureNet
from .tokenize import tokenize
from .vocabulary import Vocabulary

__all__ = ["Caption", "Decoder", "FeatureNet", "Hypothesis", "Vocabulary", "read_captions",
           "split_by_picture", "tokenize"]
