"""Image captioning: pictures and their captions, streams of both, and captions of new pictures.

``prepare`` turns caption files and pictures into streams for one command, ``pictures`` captions
pictures with a trained net, ``neighbours`` without one; ``output`` and ``gallery`` show captions.
Words, streams and decoding are ``caffe_lrcn.language``.
"""
from __future__ import annotations

from ...language.caption_files import Caption, read_captions, split_by_picture
from ...language.decoder import Decoder
from ...language.hypothesis import Hypothesis
from ...language.tokenize import tokenize
from ...language.vocabulary import Vocabulary
from .pictures import FeatureNet

__all__ = ["Caption", "Decoder", "FeatureNet", "Hypothesis", "Vocabulary", "read_captions",
           "split_by_picture", "tokenize"]
