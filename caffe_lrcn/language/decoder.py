"""From features of pictures or videos to sentences with a trained decoder net."""
from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import rng
from ..backends import Backend, get_backend
from ..errors import ShapeError, UsageError
from .beam import beam_search
from .context import Given
from .hypothesis import Hypothesis
from .sampling import sample_captions, score_captions
from .step_net import StepNet
from .word_choice import WordChoice

#: Most rows of a batch: scores of 1024 rows and 8801 words take 34 MiB.
_ROWS = 1024


def _on_its_device(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method of a decoder run in the context of its backend's device."""
    @functools.wraps(method)
    def inside(self: Decoder, *args: Any, **options: Any) -> Any:
        with self.step_net.backend.device:
            return method(self, *args, **options)
    return inside


class Decoder:
    """Writes captions with a net that tells the next word's probabilities.

    All methods take what any number of sentences are about, and return for each its hypotheses,
    best first. Where the net has one input beside words and ``cont``, that is an array, such as the
    features (N, F) of N pictures; where it has several, a mapping of their names to arrays; where
    it reads steps before the words, as those of a video, a ``Context``. The sentences run in common
    batches, whose size changes results only by rounding.

    Args:
        net_prototxt: the deploy definition, as ``StepNet`` describes it.
        weights: a ``.caffemodel`` or ``.caffemodel.h5``; layers match by name.
        stages: variant of the definition, such as ``("unfactored", "1-layer")``.
        words: only the first so many ids are proposed (a vocabulary may be smaller than the net).
        block_unknown: never propose ``<unk>``.
        backend: where to run; the CPU by default.

    Raises:
        NetError: an input or output is missing.
        WeightsError: weights that do not fit, or that lack a layer of the net.
        UsageError: ``words`` is more than the net has. Methods raise it for numbers out of range
            too, and ShapeError for features that do not fit the net.

    Source: section 5 of the paper; the LRCN ``captioner.py``.
    """

    def __init__(self, net_prototxt: str | os.PathLike[str], weights: str | os.PathLike[str], *,
                 stages: Iterable[str] = (), words: int | None = None,
                 block_unknown: bool = False, backend: Backend | None = None) -> None:
        backend = backend or get_backend("cpu")
        self.step_net = StepNet(net_prototxt, weights, stages, backend)
        self.classes = self.step_net.classes
        self.words = self.classes if words is None else words
        if not 1 <= self.words <= self.classes:
            raise UsageError("the vocabulary has more words than the net", where=net_prototxt,
                             got=f"{words} ids", wanted=f"at most {self.classes}",
                             remedy="Use the vocabulary that the net was trained with.")
        self.choice = WordChoice(backend, self.words, block_unknown)

    def greedy(self, given: Given, max_length: int = 20) -> list[list[Hypothesis]]:
        """Return captions made of the most probable word at each step, one a picture.

        Args:
            given: what N sentences are about.
            max_length: most words of a caption, the closing ``<EOS>`` included.
        """
        return self.beam(given, 1, max_length)

    @_on_its_device
    def beam(self, given: Given, beam_size: int = 5, max_length: int = 20, *,
             length_normalisation: float = 0.0) -> list[list[Hypothesis]]:
        """Return the ``beam_size`` best captions that beam search finds for each picture.

        They are fewer only where the vocabulary and ``max_length`` allow no more.

        Args:
            given: what N sentences are about.
            beam_size: hypotheses kept at each step; finished and growing ones compete.
            max_length: as in ``greedy``.
            length_normalisation: a; hypotheses of n words compete by ``log_prob / n**a``.
        """
        _check_positive(beam_size=beam_size, max_length=max_length)
        context = self.step_net.inputs.context(given)
        return [found for part in _parts(len(context), _ROWS // beam_size)
                for found in beam_search(self.step_net, self.choice, context.rows(part), beam_size,
                                         max_length, length_normalisation)]

    @_on_its_device
    def sample(self, given: Given, num: int = 1, inverse_temperature: float = 1.0, seed: int = 0,
               max_length: int = 20) -> list[list[Hypothesis]]:
        """Return random captions, each word drawn from ``softmax(inverse_temperature * logits)``.

        Args:
            given: what N sentences are about.
            num: captions a picture.
            inverse_temperature: factor of the logits, the T of the paper: above 1 prefers probable
                words, 0 is uniform, infinity greedy. ``log_prob`` is for 1 in any case.
            seed: the same seed repeats the captions; picture i's do not depend on other pictures.
            max_length: as in ``greedy``.
        """
        _check_positive(num=num, max_length=max_length)
        if not inverse_temperature >= 0:
            raise UsageError("inverse_temperature must be 0 or more", got=inverse_temperature)
        context = self.step_net.inputs.context(given)
        found = []
        for part in _parts(len(context), _ROWS // num):
            uniform = np.stack([
                rng.generator(seed, "caption samples", picture).random((num, max_length))
                for picture in range(part.start, part.stop)])
            found += sample_captions(self.step_net, self.choice, context.rows(part), uniform,
                                     inverse_temperature)
        return found

    def best_of(self, given: Given, num: int = 100, inverse_temperature: float = 1.5,
                seed: int = 0, max_length: int = 20) -> list[list[Hypothesis]]:
        """Return ``num`` random captions a picture, ranked by probability at temperature 1.

        The first is the paper's choice where it samples. Arguments are as in ``sample``.
        """
        return self.sample(given, num, inverse_temperature, seed, max_length)

    @_on_its_device
    def score(self, given: Given,
              captions: Sequence[Sequence[int]]) -> list[list[float]]:
        """Return the logarithm of each word's probability, given the picture and the words before.

        Args:
            given: what N sentences are about.
            captions: N lists of word ids; ``<EOS>`` at the end is scored if it is there.

        Returns:
            For each picture one number per given id.

        Raises:
            ShapeError: as many captions as pictures are needed.
            UsageError: an id that the net does not know.
        """
        context = self.step_net.inputs.context(given)
        if len(context) != len(captions):
            raise ShapeError("a caption for each picture is needed",
                             got=f"{len(captions)} captions", wanted=len(context))
        for index, words in enumerate(captions):
            if any(not 0 <= word < self.classes for word in words):
                raise UsageError(f"caption {index} has a word that the net does not know",
                                 got=list(words), wanted=f"ids from 0 to {self.classes - 1}")
        return [found for part in _parts(len(context), _ROWS)
                for found in score_captions(self.step_net, self.choice, context.rows(part),
                                            captions[part])]


def _parts(count: int, size: int) -> Iterator[slice]:
    """Yield slices of at most ``size`` (at least 1) that cover ``count`` pictures."""
    size = max(size, 1)
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def _check_positive(**numbers: int) -> None:
    for name, value in numbers.items():
        if value < 1:
            raise UsageError(f"{name} must be 1 or more", got=value)
