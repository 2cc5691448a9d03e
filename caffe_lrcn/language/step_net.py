"""A decoder net, one word at a time: rows go in and out of its batch and keep their state."""
from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..backends import Backend
from ..errors import NetError
from ..layer_types.common.recurrent import Recurrent
from ..layer_types.softmax import Softmax
from ..net.deploy import load_trained
from .context import Context
from .step_inputs import find_inputs
from .vocabulary import EOS

_OUTPUTS = ("probs", "predict")
#: Probabilities are floored here before their logarithm is taken.
SMALLEST = 1e-12


class StepNet:
    """A batch of sentences that grow word by word.

    Each row of the batch is a sentence with a recurrent state of its own. ``start`` makes one row
    a sentence; ``advance`` makes any number of rows, each the continuation of a row before, so
    that no word is ever run twice. What depends on the held inputs alone is not computed again
    either. The definition tells which inputs take words, ``cont`` and states (``step_inputs``);
    callers give the values of all others.

    Args:
        prototxt: definition of one step of N sentences. An input of the shape (1, N, ...) is one
            step's, any other (N, ...); with N = 1 an input (1, 1, ...) is one step's. Reshape
            layers must leave N open (0 or -1). Recurrent layers carry their states, or
            (``expose_hidden``) take them from inputs. The output is ``probs`` (1, N, V), or
            ``predict`` if the net ends before the softmax, or else the only one.
        weights: a ``.caffemodel`` or ``.caffemodel.h5``; layers match by name.
        stages: variant of the definition.
        backend: where to run.

    Raises:
        NetError: an input or the output is missing.
        ShapeError: the net takes more than one word at a time.
        WeightsError: weights that do not fit, or that lack a layer of the net.
    """

    def __init__(self, prototxt: str | os.PathLike[str], weights: str | os.PathLike[str],
                 stages: Iterable[str], backend: Backend) -> None:
        self.net, self.backend = load_trained(prototxt, weights, stages, backend), backend
        self.inputs = find_inputs(self.net, prototxt)
        self._find_scores(prototxt)
        recurrent = [i for i, node in enumerate(self.net.nodes)
                     if isinstance(node.layer, Recurrent)]
        self._recurrent = [self.net.nodes[i].layer for i in recurrent]
        self._last_recurrent = recurrent[-1]
        self._last_reader = max((i for i, reads in zip(recurrent, self.inputs.reads, strict=True)
                                 if reads), default=self._last_recurrent)
        self._rows = 0
        self._first_differs = False
        self._held: dict[str, Any] = {}
        self._states: dict[str, Any] = {}  # (1, N, D) by the input that takes them

    def start(self, context: Context) -> Any:
        """Begin one sentence a row, read the steps before its words, and return the scores (N, V)
        of its first word.

        Args:
            context: N sentences, as ``inputs.context`` returns it.
        """
        rows = len(context)
        self._held = {name: self._upload(context.held[name]) for name in self.inputs.rest}
        given = context.held.keys() & self.inputs.states
        self._states = {
            name: self._upload(context.held[name] if name in given
                               else np.zeros((rows, top.shape[2])))[None]
            for name, top in self.inputs.states.items()}
        for layer in self._recurrent:
            layer.static_is_known = False
            layer.reset()  # the sentences before, perhaps of another number
        begun = np.full(rows, bool(given))
        counts = context.steps()
        most = counts.max(initial=0)
        last = self._last_reader if self._sleeps(context) else self._last_recurrent
        for step in range(most):
            # Sentences that read less begin later: cont 0 clears what they computed until then.
            values = {name: _step(arrays, step - most) for name, arrays in context.read.items()}
            self._forward(np.full(rows, EOS), begun, values, last)
            begun = step >= most - counts
        self._first_differs = bool(context.first)
        return self._run(np.full(rows, EOS), begun, context.first)

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
            self._held = {name: values[rows] for name, values in self._held.items()}
            self._states = {name: values[:, rows] for name, values in self._states.items()}
        for layer, fixed in zip(self._recurrent, self.inputs.fixed, strict=True):
            layer.static_is_known = fixed and not self._first_differs
        self._first_differs = False
        return self._run(words, np.ones(len(words)), {})

    def _run(self, words: np.ndarray, cont: np.ndarray, given: Mapping[str, np.ndarray]) -> Any:
        self._forward(words, cont, given, self._last_layer)
        scores = self._scores.data.reshape(self._rows, self.classes)
        return scores if not self._are_probs else self.backend.xp.log(
            self.backend.xp.maximum(scores, SMALLEST))

    def _forward(self, words: np.ndarray, cont: np.ndarray, given: Mapping[str, np.ndarray],
                 last: int) -> None:
        """Run the net up to a layer and keep the states that it puts out.

        Args:
            words, cont: (R,).
            given: input -> (R, ...) values of this step, in place of those held and of ``cont``.
            last: index of the layer.
        """
        blobs, inputs, self._rows = self.net.blobs, self.inputs, len(words)
        for name, row in ((inputs.cont, given.get(inputs.cont, cont)), (inputs.word, words)):
            blobs[name].reshape(1, self._rows)
            blobs[name].host_data[...] = row
        for name, held in self._held.items():
            shape = inputs.shape(name, self._rows)
            blobs[name].reshape(*shape)
            array = self._upload(given[name]) if name in given else held
            blobs[name].data[...] = array.reshape(shape)
        for name, array in self._states.items():
            blobs[name].reshape(*array.shape)
            blobs[name].data[...] = array
        self.net.forward(end=last)
        self._states = {name: top.data for name, top in inputs.states.items()}

    def _sleeps(self, context: Context) -> bool:
        """Return whether nothing that layers with the decoder's ``cont`` compute survives until
        the first word, so that they need not run before it."""
        cont = context.first.get(self.inputs.cont)
        return cont is not None and not cont.any() and not self.inputs.states

    def _upload(self, values: np.ndarray) -> Any:
        return self.backend.upload(np.ascontiguousarray(values, self.backend.dtype))

    def _find_scores(self, file: object) -> None:
        """Find the blob to read and the last layer to run: the logits, before a softmax."""
        final = [name for name in self.net.outputs
                 if self.net.blobs[name] not in self.inputs.states.values()]
        output = next((name for name in _OUTPUTS if name in self.net.blobs),
                      final[0] if len(final) == 1 else None)
        makers = [i for i, node in enumerate(self.net.nodes) if output in node.top_names]
        if output is None or not makers:
            raise NetError("the net is not a decoder of sentences", where=file,
                           got=f"outputs {', '.join(self.net.outputs) or 'none'}",
                           wanted="the output probs or predict, or a single one")
        self.classes = self.net.blobs[output].shape[-1]
        index = makers[-1]
        node = self.net.nodes[index]
        self._are_probs = output == "probs" and not isinstance(node.layer, Softmax)
        if isinstance(node.layer, Softmax):
            self._scores, self._last_layer = node.bottom[0], index - 1
        else:
            self._scores, self._last_layer = node.top[node.top_names.index(output)], index


def _step(arrays: Sequence[np.ndarray], step: int) -> np.ndarray:
    """Return what each sentence reads so many steps (below 0) before its words; 0 before all."""
    return np.stack([values[step] if len(values) >= -step else np.zeros(values.shape[1:])
                     for values in arrays])
