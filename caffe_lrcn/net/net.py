"""A net: holds the layers of a graph and runs them forward and backward."""
from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import glog
from ..arena import Arena
from ..backends import Backend
from ..backends.scalars import BAD_INDEX, BAD_LABEL, NOT_FINITE
from ..backends.scratch import SmallBuffers
from ..errors import CaffeError, LabelError, ShapeError, SnapshotError, UsageError
from ..layer_types import Layer
from ..layer_types.base import Settings
from ..layer_types.common.recurrent import Recurrent
from ..proto import caffe_pb2
from ..proto.text import NetDef
from . import weights
from .build import Built, Node, build
from .creation_log import creation_lines, filtered_text
from .doubts import fixed_sizes, graph_doubts
from .filter import filter_layers, make_state, warn_of_unknown_stages, why_unknown
from .splits import UnknownBottom
from .transfer import Transfer

Callback = Callable[[int], None]


class Net:
    """A network that runs.

    Args:
        definition: the parsed definition with all its variants.
        backend: where the arithmetic runs.
        phase: ``TRAIN`` (0) or ``TEST`` (1).
        level, stages: the rest of the state that include and exclude rules look at.
        seed: all random numbers of the net derive from it.
        settings: choices for the whole net.
        state: replaces ``phase``, ``level`` and ``stages`` if given.

    Raises:
        PrototxtError, NetError, ShapeError, DataError: the definition cannot be built.

    Source: Caffe's net.
    """

    def __init__(self, definition: NetDef, backend: Backend, *, phase: int, level: int = 0,
                 stages: Iterable[str] = (), seed: int = 1, settings: Settings | None = None,
                 state: caffe_pb2.NetState | None = None) -> None:
        self.definition, self.backend, self.seed = definition, backend, seed
        self.settings = settings or Settings()
        self.state_filter = state or make_state(phase, level, stages, definition.param.state)
        self.phase = self.state_filter.phase
        self.name = definition.param.name
        #: SHA-256 of the vocabulary whose ids the net learns; saved with its weights. '': none.
        self.vocabulary = ""
        self.before_forward: list[Callback] = []
        self.after_forward: list[Callback] = []
        self.before_backward: list[Callback] = []
        self.after_backward: list[Callback] = []
        self.scalars = backend.scalars()
        warn_of_unknown_stages(definition.layers, self.state_filter)
        layers = filter_layers(definition.layers, self.state_filter)
        if glog.logger.isEnabledFor(logging.INFO):
            glog.info(filtered_text(definition, layers, self.state_filter))
        try:
            with backend.device:
                built = build(layers, backend, self.phase, seed=seed, settings=self.settings,
                              scalars=self.scalars,
                              force_backward=definition.param.force_backward)
        except UnknownBottom as error:
            error.remedy = why_unknown(error.blob, definition.layers, set(map(id, layers)),
                                       self.state_filter) or error.remedy
            raise
        for doubt in graph_doubts(built.graph, self.phase):
            glog.warning("%s", doubt)
        self._adopt(built)
        for line in creation_lines(self):
            glog.info(line)

    def _adopt(self, built: Built) -> None:
        graph, learnable = built.graph, built.learnable
        self.graph = graph
        self.nodes = built.nodes
        self.learnable_params = [self.nodes[item.layer].layer.blobs[item.index]
                                 for item in learnable]
        self.param_owners = [(item.layer, item.index) for item in learnable]
        self.param_lr = [item.lr for item in learnable]
        self.param_decay = [item.decay for item in learnable]
        self.arena = Arena(self.backend, self.learnable_params, self.param_lr, self.param_decay)
        self.layers = [node.layer for node in self.nodes]
        self.layer_names = [layer.name for layer in self.layers]
        self.inputs, self.outputs = list(graph.inputs), list(graph.outputs)
        self.blobs = dict(zip(graph.blob_names, built.blobs, strict=True))
        self.top_names = {node.layer.name: node.top_names for node in self.nodes}
        self.bottom_names = {node.layer.name: node.bottom_names for node in self.nodes}
        self.params = {layer.name: layer.blobs for layer in self.layers if layer.blobs}
        self.blob_loss_weights = dict.fromkeys(graph.blob_names, 0.0)
        for node in self.nodes:
            self.blob_loss_weights.update(zip(node.top_names, node.loss_weights, strict=True))

    # Running ----------------------------------------------------------------------------------

    def forward(self, start: int | None = None, end: int | None = None) -> float:
        """Run layers ``start`` to ``end`` (inclusive; default all) and return the weighted loss.

        Raises:
            LabelError: a layer found a label or an index that it cannot use.
        """
        with self.backend.device:
            self.scalars.begin()
            self.run_forward(start, end)
        reading = self.scalars.read()
        self.check_status(reading.status, self.nodes[start or 0:None if end is None else end + 1])
        return reading.loss

    def run_forward(self, start: int | None = None, end: int | None = None) -> None:
        """Run layers as ``forward`` does, but do not wait for the device.

        The weighted losses are added to ``scalars.loss``. What layers find wrong sets bits of
        ``scalars.status``; see ``check_status``.
        """
        with self.backend.device, SmallBuffers():
            self._run_forward(start, end)

    def forward_backward(self) -> None:
        """Run all layers forward, then backward; see ``run_forward`` and ``backward``."""
        with self.backend.device, SmallBuffers():
            self._run_forward()
            self._run_backward()

    def _run_forward(self, start: int | None = None, end: int | None = None) -> None:
        last = len(self.nodes) - 1 if end is None else end
        for index in range(start or 0, last + 1):
            for callback in self.before_forward:
                callback(index)
            self._forward_node(self.nodes[index])
            if self.scalars.seen() & ~NOT_FINITE:
                self._check_node(self.nodes[index])
            for callback in self.after_forward:
                callback(index)

    def _forward_node(self, node: Node) -> None:
        self.backend.scratch.rewind()
        try:
            node.layer.reshape(node.bottom, node.top)
            node.layer.forward(node.bottom, node.top)
        except (CaffeError, MemoryError) as error:
            raise self._placed(node, error) from None
        if node.has_loss:
            self._add_loss(node)

    def _check_node(self, node: Node) -> None:
        """Name at once what a layer found wrong, so that no later layer works on it."""
        status = self.scalars.seen()
        self.scalars.status &= NOT_FINITE
        self.check_status(status, [node])

    def check_status(self, status: int, nodes: Sequence[Node] | None = None) -> None:
        """Raise the error that bits of ``scalars.status`` stand for; 0 raises nothing.

        ``NOT_FINITE`` raises nothing: a net may be run on what overflows, a solver refuses it.

        Args:
            status: the bits.
            nodes: those that have run; None: all.

        Raises:
            LabelError: a label or an index that a layer cannot use.
        """
        if not status & ~NOT_FINITE:
            return
        refused = status & (BAD_LABEL | BAD_INDEX)
        with self.backend.device:
            for node in self.nodes if nodes is None else nodes:
                error = node.layer.complaint(node.bottom)
                if error and refused:
                    raise node.placed(error)
        if refused:
            raise LabelError("a label or an index was out of range, and its blob has been "
                             "overwritten since, so that it cannot be named",
                             remedy="Set iter_size: 1, or run forward() alone, to see which it is.")

    def _add_loss(self, node: Node) -> None:
        if node.loss_shapes != [blob.shape for blob in node.top]:
            node.seed_loss()
        if not self.settings.strict:
            node.renew_loss()
        add_loss = self.backend.softmax_loss.add_loss
        for blob, weight, overwritten in zip(node.top, node.loss_weights, node.overwritten,
                                             strict=True):
            if not weight:
                continue
            lost = overwritten and not self.settings.strict
            add_loss(blob.data, None if lost else blob.diff, weight if lost else 1.0,
                     self.scalars.loss, self.scalars.status, self.backend.scratch)

    def backward(self, start: int | None = None, end: int | None = None) -> None:
        """Run the backward passes of layers ``start`` down to ``end`` (inclusive; default all)."""
        with self.backend.device, SmallBuffers():
            self._run_backward(start, end)

    def _run_backward(self, start: int | None = None, end: int | None = None) -> None:
        first = len(self.nodes) - 1 if start is None else start
        for index in range(first, (end or 0) - 1, -1):
            for callback in self.before_backward:
                callback(index)
            if self.nodes[index].needs_backward:
                self._backward_node(self.nodes[index])
            for callback in self.after_backward:
                callback(index)

    def _backward_node(self, node: Node) -> None:
        self.backend.scratch.rewind()
        if node.has_loss and not self.settings.strict:
            self._add_loss_weight(node)
        try:
            node.layer.backward(node.top, node.propagate_down, node.bottom)
        except (CaffeError, MemoryError) as error:
            raise node.placed(error) from None

    def _add_loss_weight(self, node: Node) -> None:
        # The reference loses the implicit weight of a loss that another layer reads; `strict`
        # reproduces that.
        for blob, weight, overwritten in zip(node.top, node.loss_weights, node.overwritten,
                                             strict=True):
            if weight and overwritten:
                blob.diff[...] += weight

    def reshape(self) -> None:
        """Propagate shapes from the inputs without computing anything."""
        with self.backend.device:
            for node in self.nodes:
                try:
                    node.layer.reshape(node.bottom, node.top)
                except CaffeError as error:
                    raise self._placed(node, error) from None

    def _placed(self, node: Node, error: CaffeError | MemoryError) -> CaffeError:
        """Place an error; where sizes that fitted no longer do, name who keeps one of them."""
        placed = node.placed(error)
        if isinstance(placed, ShapeError) and isinstance(node.layer, Recurrent):
            fixed = fixed_sizes(self.graph, self.graph.vertices[self.nodes.index(node)])
            placed.remedy = ". ".join([*filter(None, [placed.remedy]), *fixed])
        return placed

    def clear_param_diffs(self) -> None:
        """Set the gradients of all learnable parameters to zero."""
        with self.backend.device:
            self.arena.clear()

    def close(self) -> None:
        """Stop data sources. The net can be read afterwards but not run."""
        for node in self.nodes:
            node.layer.close()

    # State and weights --------------------------------------------------------------------------

    def state(self) -> dict[str, dict[str, Any]]:
        """Return what an exact resume needs besides the parameters, by layer."""
        states = {key: layer.state() for key, layer in self._keyed_layers().items()}
        return {key: state for key, state in states.items() if state}

    def restore(self, state: dict[str, dict[str, Any]]) -> None:
        """Take back what ``state`` returned; layers that it does not name keep theirs."""
        for key, layer in self._keyed_layers().items():
            if key in state:
                self._restore_layer(key, layer, state[key])

    def _restore_layer(self, name: str, layer: Layer, state: dict[str, Any]) -> None:
        try:
            layer.restore(state)
        except (AttributeError, IndexError, KeyError, OverflowError, TypeError,
                ValueError) as error:
            if isinstance(error, CaffeError) or layer.param.type == "Python":
                raise  # a user's own error, with its own traceback
            raise SnapshotError("the saved state does not fit the layer", layer=name,
                                got=f"{type(error).__name__}: {error}") from error

    def recurrent_state(self) -> dict[str, dict[str, np.ndarray]]:
        """Return the carried states, copies of (N, D), by layer and by name (``h``, ``c``).

        Recurrent layers that take and give their states as blobs (``expose_hidden``) carry none.
        """
        return {key: layer.state() for key, layer in self._recurrent_layers().items()
                if not layer.exposed}

    def set_recurrent_state(self, state: Mapping[str, Mapping[str, Any]]) -> None:
        """Let the next forward pass start from these states; layers not named keep theirs.

        Args:
            state: as ``recurrent_state`` returns it; N must be that of the inputs now.

        Raises:
            UsageError: there is no such recurrent layer, or it has other states.
            ShapeError: a state does not fit.
        """
        self.reshape()  # the inputs may have another N since the last pass
        layers = self._recurrent_layers()
        for key in state:
            if key not in layers:
                raise UsageError("the net has no such recurrent layer", got=key,
                                 wanted=", ".join(layers) or "a net with LSTM, RNN or GRU layers")
        for key, values in state.items():
            layers[key].set_state(values)

    def clear_recurrent_state(self) -> None:
        """Let the next forward pass start from states of zeros."""
        for layer in self._recurrent_layers().values():
            layer.reset()

    def _recurrent_layers(self) -> dict[str, Recurrent]:
        return {key: layer for key, layer in self._keyed_layers().items()
                if isinstance(layer, Recurrent)}

    def _keyed_layers(self) -> dict[str, Layer]:
        keyed: dict[str, Layer] = {}
        for layer in self.layers:
            key, copy = layer.name, 1
            while key in keyed:
                copy += 1
                key = f"{layer.name}#{copy}"
            keyed[key] = layer
        return keyed

    def first_bad_blob(self) -> tuple[str, str, str] | None:
        """Return layer, blob and ``data`` or ``diff`` of the first non-finite values, or None.

        Parameters and tops are looked at in the order of the forward pass, then gradients in the
        order of the backward pass, at last those of the parameters.
        """
        for node in self.nodes:
            params = {f"param {i}": blob for i, blob in enumerate(node.layer.blobs)}
            tops = dict(zip(node.top_names, node.top, strict=True))
            for name, blob in (params | tops).items():
                if not np.isfinite(blob.read_data()).all():
                    return node.layer.name, name, "data"
        for node in reversed(self.nodes):
            for name, blob in zip(node.top_names, node.top, strict=True):
                if node.needs_backward and not np.isfinite(blob.read_diff()).all():
                    return node.layer.name, name, "diff"
        for node in reversed(self.nodes):
            for index, blob in enumerate(node.layer.blobs):
                if not np.isfinite(blob.read_diff()).all():
                    return node.layer.name, f"param {index}", "diff"
        return None

    def copy_trained_layers_from(self, path: str,
                                 transfer: Transfer | None = None) -> weights.LoadReport:
        """Load weights by layer name; see ``weights.load_into``.

        Raises:
            WeightsError: as ``load_into`` does, and if no layer of the net is in the file.
        """
        report = weights.load_into(self, path, transfer)
        weights.refuse_strangers(self, report)
        return report

    def share_trained_layers_with(self, other: Net) -> None:
        """Use the parameter values of ``other``; see ``weights.share_with``."""
        weights.share_with(self, other)

    def save(self, path: str, diffs: bool = False) -> None:
        """Write a binary ``.caffemodel`` that BVLC Caffe reads."""
        weights.save(self, path, diffs)

    def save_hdf5(self, path: str, diffs: bool = False) -> None:
        """Write a ``.caffemodel.h5`` that BVLC Caffe reads."""
        weights.save_hdf5(self, path, diffs)
