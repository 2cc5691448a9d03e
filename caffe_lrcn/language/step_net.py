"""A decoder net, one word at a time: rows go in and out of its batch and keep their state."""
from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..backends import Backend
from ..errors import NetError, ShapeError, UsageError, WeightsError
from ..layer_types.common.recurrent import Recurrent
from ..layer_types.softmax import Softmax
from ..net.build import Node
from ..net.net import Net
from ..proto import caffe_pb2
from ..proto.text import read_net
from .vocabulary import EOS

_CONT, _WORD, _IMAGE = "cont_sentence", "input_sentence", "image_features"
_OUTPUTS = ("probs", "predict")
#: Probabilities are floored here before their logarithm is taken.
SMALLEST = 1e-12


class StepNet:
    """A batch of sentences that grow word by word.

    Each row of the batch is a sentence with a recurrent state of its own. ``start`` makes one row
    a picture; ``advance`` makes any number of rows, each the continuation of a row before, so that
    no word is ever run twice. What depends on the picture alone is not computed again either.

    Args:
        prototxt: definition with the inputs ``cont_sentence`` and ``input_sentence`` (1, N),
            ``image_features`` (N, F) unless it is a mere language model, and the output ``probs``
            (1, N, V), or ``predict`` if the net ends before the softmax.
        weights: a ``.caffemodel`` or ``.caffemodel.h5``; layers match by name.
        stages: variant of the definition.
        backend: where to run.

    Raises:
        NetError: an input or output is missing, or there is one too many.
        WeightsError: weights that do not fit, or that lack a layer of the net.
    """

    def __init__(self, prototxt: str | os.PathLike[str], weights: str | os.PathLike[str],
                 stages: Iterable[str], backend: Backend) -> None:
        self.net, self.backend = load_net(prototxt, weights, stages, backend), backend
        names = self.net.blobs.keys()
        output = next((name for name in _OUTPUTS if name in names), None)
        inputs = set(self.net.inputs)
        if output is None or not {_CONT, _WORD} <= inputs <= {_CONT, _WORD, _IMAGE}:
            raise NetError("the net is no decoder of captions", where=prototxt,
                           got=f"inputs {', '.join(self.net.inputs) or 'none'}, outputs "
                               f"{', '.join(self.net.outputs) or 'none'}",
                           wanted=f"inputs {_CONT}, {_WORD} and, for pictures, {_IMAGE}; "
                                  "output probs or predict")
        if self.net.blobs[_WORD].shape[:1] != (1,):
            raise ShapeError("a decoder takes one word at a time", where=prototxt,
                             got=f"{_WORD} {self.net.blobs[_WORD].shape}", wanted="(1, N)")
        self.has_picture = _IMAGE in inputs
        self.classes = self.net.blobs[output].shape[-1]
        self._find_scores(output)
        recurrent = [node for node in self.net.nodes if isinstance(node.layer, Recurrent)]
        self._recurrent = [node.layer for node in recurrent]
        self._statics_known = self._follow_from_picture(recurrent)
        self._rows = 0

    @property
    def feature_shape(self) -> tuple[int, ...] | None:
        """Shape of a picture's features; None if the net takes none."""
        return self.net.blobs[_IMAGE].shape[1:] if self.has_picture else None

    def check_features(self, features: np.ndarray) -> np.ndarray:
        """Return ``features`` as an array with one row a picture.

        Raises:
            ShapeError: they do not fit the net.
            UsageError: they hold NaN or infinity.
        """
        features, wanted = np.asarray(features), self.feature_shape
        if features.ndim < 2 or (wanted is not None and features.shape[1:] != wanted):
            raise ShapeError("the features do not fit the decoder", got=features.shape,
                             wanted=f"(N, {', '.join(map(str, wanted or ('F',)))})",
                             remedy="Take them from the picture net of the same weights.")
        if not np.isfinite(features).all():
            raise UsageError("the features hold NaN or infinity")
        return features

    def start(self, features: np.ndarray) -> Any:
        """Begin one sentence a picture and return the scores (P, V) of its first word.

        Args:
            features: (P, F), checked.
        """
        for layer in self._recurrent:
            layer.static_is_known = False
        self._features = self.backend.upload(
            np.ascontiguousarray(features, self.backend.dtype) if self.has_picture else features)
        return self._run(np.full(len(features), EOS), cont=0)

    def advance(self, words: np.ndarray, parents: np.ndarray) -> Any:
        """Append a word to each row and return the scores (R, V) of the word after it.

        Args:
            words: (R,) ids.
            parents: (R,) row of the last call that each new row continues.

        Returns:
            Logits, or logarithms of probabilities, as an array of the backend that the next call
            overwrites; the caller may, too.
        """
        if len(parents) != self._rows or (parents != np.arange(self._rows)).any():
            rows = self.backend.upload(parents)
            for layer in self._recurrent:
                layer.reorder(rows)
            if self.has_picture:
                self._features = self._features[rows]
        for layer, known in zip(self._recurrent, self._statics_known, strict=True):
            layer.static_is_known = known
        return self._run(words, cont=1)

    def _run(self, words: np.ndarray, cont: int) -> Any:
        blobs, self._rows = self.net.blobs, len(words)
        for name, value in ((_CONT, cont), (_WORD, words)):
            blobs[name].reshape(1, self._rows)
            blobs[name].host_data[...] = value
        if self.has_picture:
            blobs[_IMAGE].reshape(*self._features.shape)
            blobs[_IMAGE].data[...] = self._features
        self.net.forward(end=self._last_layer)
        scores = self._scores.data.reshape(self._rows, self.classes)
        return scores if not self._are_probs else self.backend.xp.log(
            self.backend.xp.maximum(scores, SMALLEST))

    def _find_scores(self, output: str) -> None:
        """Find the blob to read and the last layer to run: the logits, before a softmax."""
        makers = [i for i, node in enumerate(self.net.nodes) if output in node.top_names]
        if not makers:
            raise NetError(f"nothing computes '{output}'", where=self.net.name)
        index = makers[-1]
        node = self.net.nodes[index]
        self._are_probs = output == "probs" and not isinstance(node.layer, Softmax)
        if isinstance(node.layer, Softmax):
            self._scores, self._last_layer = node.bottom[0], index - 1
        else:
            self._scores, self._last_layer = node.top[node.top_names.index(output)], index

    def _follow_from_picture(self, recurrent: list[Node]) -> list[bool]:
        """Tell for each recurrent layer whether its static bottom depends on the picture alone."""
        changing = {_CONT, _WORD}
        for node in self.net.nodes:
            if changing.intersection(node.bottom_names) or isinstance(node.layer, Recurrent):
                changing.update(node.top_names)
        return [node.layer.has_static and node.bottom_names[2] not in changing
                for node in recurrent]


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
