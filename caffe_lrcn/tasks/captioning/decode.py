"""From picture features to captions with a trained decoder net."""
from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ...backends import Backend, get_backend
from ...errors import NetError, ShapeError, UsageError, WeightsError
from ...net.net import Net
from ...proto import caffe_pb2
from ...proto.text import read_net
from .vocabulary import EOS

#: Probabilities are floored here before their logarithm is taken.
_SMALLEST = 1e-12


@dataclass(frozen=True)
class Hypothesis:
    """A caption that a decoder proposes.

    Args:
        words: its word ids, the closing ``<EOS>`` (0) included unless it was cut off.
        log_prob: natural logarithm of its probability.
    """

    words: list[int]
    log_prob: float


class Decoder:
    """A net that tells the next word's probabilities, one step a forward pass.

    The net has the inputs ``cont_sentence`` and ``input_sentence``, each (1, N), and
    ``image_features`` (N, F) unless it is a mere language model; and the output ``probs``
    (1, N, V). Its recurrent layers carry their state from step to step.

    Args:
        net_prototxt: the deploy definition.
        weights: a ``.caffemodel`` or ``.caffemodel.h5``; layers match by name.
        stages: variant of the definition, such as ``("unfactored", "1-layer")``.
        words: only the first so many ids are proposed (a vocabulary may be smaller than the net).
        backend: where to run; the CPU by default.

    Raises:
        NetError: an input or output is missing.
        WeightsError: weights that do not fit, or that lack a layer of the net.
        UsageError: ``words`` is more than the net has.

    Source: section 5 of the paper; the LRCN ``captioner.py``.
    """

    def __init__(self, net_prototxt: str | os.PathLike[str], weights: str | os.PathLike[str], *,
                 stages: Iterable[str] = (), words: int | None = None,
                 backend: Backend | None = None) -> None:
        self.net = load_net(net_prototxt, weights, stages, backend or get_backend("cpu"))
        for name in ("cont_sentence", "input_sentence", "probs"):
            if name not in self.net.blobs:
                raise NetError(f"the decoder has no blob '{name}'", where=net_prototxt,
                               remedy="Its inputs are cont_sentence, input_sentence and, for "
                                      "pictures, image_features; its output is probs.")
        self.classes = self.net.blobs["probs"].shape[-1]
        if words is not None and words > self.classes:
            raise UsageError("the vocabulary has more words than the net", where=net_prototxt,
                             got=f"{words} ids", wanted=f"at most {self.classes}",
                             remedy="Use the vocabulary that the net was trained with.")
        self.words = words or self.classes

    def greedy(self, features: np.ndarray, max_length: int = 20) -> list[list[Hypothesis]]:
        """Return the captions made by taking the most probable word at each step.

        Args:
            features: (N, F), one row a picture.
            max_length: most words of a caption, the closing ``<EOS>`` included.

        Returns:
            For each picture its hypotheses, best first (here: one).

        Raises:
            ShapeError: the features do not fit the net.
            UsageError: ``max_length`` is not positive.
        """
        if max_length < 1:
            raise UsageError("a caption has at least one word", got=f"max_length {max_length}")
        count = len(self._start(features))
        if count == 0:
            return []
        previous = np.full(count, EOS)
        words = np.empty((max_length, count), int)
        log_probs = np.zeros(count)
        open_ones = np.ones(count, bool)
        for step in range(max_length):
            probs = self._step(previous, first=step == 0)
            words[step] = previous = probs.argmax(axis=1)
            log_probs[open_ones] += np.log(np.maximum(probs.max(axis=1), _SMALLEST))[open_ones]
            open_ones &= previous != EOS
            if not open_ones.any():
                break
        return [[Hypothesis(_until_eos(words[:step + 1, i]), float(log_probs[i]))]
                for i in range(count)]

    def _start(self, features: np.ndarray) -> np.ndarray:
        """Shape the net for a batch of pictures and set their features."""
        features = np.asarray(features)
        blobs = self.net.blobs
        wanted = blobs["image_features"].shape[1:] if "image_features" in blobs else None
        if features.ndim < 2 or (wanted is not None and features.shape[1:] != wanted):
            raise ShapeError("the features do not fit the decoder", got=features.shape,
                             wanted=f"(N, {', '.join(map(str, wanted or ('F',)))})")
        if len(features) == 0:
            return features
        for name in ("cont_sentence", "input_sentence"):
            blobs[name].reshape(1, len(features))
        if wanted is not None:
            blobs["image_features"].reshape(*features.shape)
            blobs["image_features"].host_data[...] = features
        self.net.reshape()
        return features

    def _step(self, previous: np.ndarray, first: bool) -> np.ndarray:
        """Return the next word's probabilities, (N, words)."""
        self.net.blobs["cont_sentence"].host_data[...] = 0 if first else 1
        self.net.blobs["input_sentence"].host_data[...] = previous
        self.net.forward()
        return self.net.blobs["probs"].host_data[0, :, :self.words].astype(np.float64)


def load_net(prototxt: str | os.PathLike[str], weights: str | os.PathLike[str],
             stages: Iterable[str], backend: Backend) -> Net:
    """Return a TEST net with all its weights.

    Raises:
        WeightsError: a layer has no weights in the file, or they do not fit.
    """
    net = Net(read_net(prototxt), backend, phase=caffe_pb2.TEST, stages=stages)
    report = net.copy_trained_layers_from(os.fspath(weights))
    if report.missing:
        raise WeightsError("the weights lack layers of the net", where=weights,
                           got=f"no {', '.join(report.missing)}", wanted=f"those of {prototxt}",
                           remedy="Use the weights of a net of this variant (see --stage).")
    return net


def _until_eos(words: np.ndarray) -> list[int]:
    ends = np.flatnonzero(words == EOS)
    return words[:ends[0] + 1].tolist() if len(ends) else words.tolist()
