"""``Net``: a network with pycaffe's calls. Source: pycaffe.py and _caffe.cpp."""
from __future__ import annotations

import os
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..errors import ShapeError, UsageError, WeightsError
from ..files import replacing
from ..net.net import Net as EngineNet
from ..net.transfer import Rename, Transfer
from ..net.weights import LoadReport, warn_of_missing
from ..proto.text import read_net
from . import batches
from .layer import Layer, face_of
from .memory import set_input_arrays
from .modes import current_backend, current_seed
from .names import ByName
from .vectors import Blob, BlobVec, DtypeVec, IntVec, LayerVec, StringVec

Arrays = dict[str, np.ndarray]
Names = Iterable[str] | None


class Net:
    """A net from files, with pycaffe's calls.

    ``Net(network_file, phase, level=0, stages=None, weights=None)``, or in the old form
    ``Net(network_file, weights_file, phase)``. ``blobs`` maps names to blobs in the order in which
    they are made, ``params`` maps layers to their parameters. The names with an underscore are
    those of pycaffe's compiled part.

    Raises:
        PrototxtError, NetError, ShapeError, WeightsError: all of them RuntimeErrors.

    Source: pycaffe's Net.
    """

    def __init__(self, network_file: str | os.PathLike, *args: Any, phase: int | None = None,
                 level: int = 0, stages: Names = None,
                 weights: str | os.PathLike | None = None) -> None:
        phase, level, stages, weights = _net_arguments(args, phase, level, stages, weights)
        self._wrap(EngineNet(read_net(os.fspath(network_file)), current_backend(), phase=phase,
                             level=level, stages=stages or (), seed=current_seed()))
        if weights is not None:
            self.copy_from(weights)

    @classmethod
    def from_engine(cls, engine: EngineNet) -> Net:
        """Return the pycaffe face of a net that exists already."""
        net = cls.__new__(cls)
        net._wrap(engine)
        return net

    def _wrap(self, engine: EngineNet) -> None:
        self._engine = engine
        names: dict[int, str] = {}
        blobs = {}
        for node in engine.nodes:
            for name, blob in zip(node.top_names, node.top, strict=True):
                if id(blob) not in names:
                    names[id(blob)], blobs[id(blob)] = name, blob
        self._ids = {key: position for position, key in enumerate(names)}
        self._blob_names = StringVec(names.values())
        self._blobs = BlobVec(list(blobs.values()), engine.backend)
        self._layer_names = StringVec(engine.layer_names)
        self._layers: LayerVec = LayerVec(map(face_of, engine.layers))
        # CAFFE-QUIRK: of several blobs or layers with one name ("(automatic)") the last is kept.
        self.blobs: ByName[Blob] = ByName.of(
            "blob", zip(self._blob_names, self._blobs, strict=True))
        self.params: ByName[BlobVec] = ByName.of(
            "layer with parameters",
            ((name, BlobVec(blobs, engine.backend)) for name, blobs in engine.params.items()),
            tuple(name for name in engine.layer_names if name not in engine.params))

    # Running ----------------------------------------------------------------------------------

    def forward(self, blobs: Names = None, start: str | None = None, end: str | None = None,
                **kwargs: Any) -> Arrays:
        """Run layers ``start`` to ``end`` (inclusive; default all).

        Args:
            blobs: names of further blobs to return.
            start, end: layer names.
            kwargs: an array for each input blob (all or none), broadcast into it.

        Returns:
            The net's outputs (or the tops of ``end``) and ``blobs``. CAFFE-QUIRK: they are live
            views, which the next pass overwrites.

        Raises:
            UsageError: the arrays do not match the net's inputs, or there is no such layer.
            ShapeError: an array's first axis is not the batch size.
        """
        first, last = self._layer_index(start), self._layer_index(end)
        self._check_order(start, first, end, last)
        if kwargs:
            self._assign(kwargs, self.inputs, "input", lambda blob: blob.data)
        self._engine.forward(first, last)
        names = self._engine.top_names[end] if end is not None else self.outputs
        return {name: self.blobs[name].data for name in dict.fromkeys([*names, *(blobs or ())])}

    def backward(self, diffs: Names = None, start: str | None = None, end: str | None = None,
                 **kwargs: Any) -> Arrays:
        """Run the backward passes of layers ``start`` down to ``end`` (inclusive; default all).

        Args:
            diffs: names of further blobs whose gradients to return.
            start, end: layer names.
            kwargs: a gradient for each output blob of the net (all or none).

        Returns:
            Gradients of the net's inputs (or the bottoms of ``end``) and of ``diffs``.

        Raises:
            UsageError: the arrays do not match the net's outputs, or there is no such layer.
            ShapeError: an array's first axis is not the batch size.
        """
        first, last = self._layer_index(start), self._layer_index(end)
        self._check_order(end, last, start, first)
        if kwargs:
            self._assign(kwargs, self.outputs, "output", lambda blob: blob.diff)
        self._engine.backward(first, last)
        names = self._engine.bottom_names[end] if end is not None else self.inputs
        return {name: self.blobs[name].diff for name in dict.fromkeys([*names, *(diffs or ())])}

    def forward_all(self, blobs: Names = None, **kwargs: Any) -> Arrays:
        """Run any number of samples in batches; see ``batches.forward_all``."""
        return batches.forward_all(self, blobs, kwargs)

    def forward_backward_all(self, blobs: Names = None, diffs: Names = None,
                             **kwargs: Any) -> tuple[Arrays, Arrays]:
        """Run both passes in batches; see ``batches.forward_backward_all``."""
        return batches.forward_backward_all(self, blobs, diffs, kwargs)

    def _batch(self, blobs: Mapping[str, Any]) -> Iterator[Arrays]:
        return batches.split(self, blobs)

    def before_forward(self, function: Callable[[int], None]) -> None:
        """Call ``function(layer index)`` before each layer's forward pass."""
        self._engine.before_forward.append(function)

    def after_forward(self, function: Callable[[int], None]) -> None:
        """Call ``function(layer index)`` after each layer's forward pass."""
        self._engine.after_forward.append(function)

    def before_backward(self, function: Callable[[int], None]) -> None:
        """Call ``function(layer index)`` before each layer's backward pass."""
        self._engine.before_backward.append(function)

    def after_backward(self, function: Callable[[int], None]) -> None:
        """Call ``function(layer index)`` after each layer's backward pass."""
        self._engine.after_backward.append(function)

    def set_input_arrays(self, data: np.ndarray, labels: np.ndarray) -> None:
        """Serve arrays through a MemoryData layer; see ``memory.set_input_arrays``."""
        set_input_arrays(self, data, labels)

    _set_input_arrays = set_input_arrays

    def reshape(self) -> None:
        """Propagate shapes from the inputs without computing anything."""
        self._engine.reshape()

    def clear_param_diffs(self) -> None:
        """Set the gradients of all parameters to zero."""
        self._engine.clear_param_diffs()

    def recurrent_state(self) -> dict[str, dict[str, np.ndarray]]:
        """Return what recurrent layers carry to the next pass: copies (N, D), by layer and name.

        Layers with ``expose_hidden`` take and give their states as blobs; they are left out.
        """
        return self._engine.recurrent_state()

    def set_recurrent_state(self, state: Mapping[str, Mapping[str, Any]]) -> None:
        """Let the next pass start from these states; layers not named keep theirs.

        Args:
            state: layer → name → array (N, D); N is that of the inputs now.

        Raises:
            UsageError: there is no such recurrent layer, or it has other states.
            ShapeError: a state does not fit.
        """
        self._engine.set_recurrent_state(state)

    def clear_recurrent_state(self) -> None:
        """Let the next pass start from states of zeros."""
        self._engine.clear_recurrent_state()

    # Weights ----------------------------------------------------------------------------------

    def copy_from(self, path: str | os.PathLike, rename: Mapping[str, str] | None = None,
                  ignore_mismatch: bool = False) -> LoadReport:
        """Load weights by layer name from a ``.caffemodel`` or ``.caffemodel.h5``.

        pycaffe takes the path alone and returns nothing.

        Args:
            path: the file.
            rename: names of layers in the file, and their names in the net; a ``*`` in both stands
                for the same letters.
            ignore_mismatch: leave out layers whose parameters have other shapes.

        Returns:
            Which layers were loaded, missing, unused, skipped.

        Raises:
            WeightsError: a layer does not fit, no layer of the net is in the file, or a rename
                fits nothing.
        """
        transfer = Transfer(tuple(Rename(*item) for item in (rename or {}).items()),
                            ignore_mismatch)
        report = self._engine.copy_trained_layers_from(os.fspath(path), transfer)
        transfer.check(self._engine, [report])
        warn_of_missing([report])
        return report

    def load_hdf5(self, path: str | os.PathLike) -> None:
        """Load weights by layer name from a ``.caffemodel.h5``."""
        self.copy_from(path)

    def share_with(self, other: Net) -> None:
        """Use the parameter values of ``other``."""
        self._engine.share_trained_layers_with(other._engine)

    def save(self, path: str | os.PathLike) -> None:
        """Write a binary ``.caffemodel``, which appears when it is whole."""
        with replacing(path, WeightsError, "the weights") as name:
            self._engine.save(name)

    def save_hdf5(self, path: str | os.PathLike) -> None:
        """Write a ``.caffemodel.h5``, which appears when it is whole."""
        with replacing(path, WeightsError, "the weights") as name:
            self._engine.save_hdf5(name)

    # Names and layers -------------------------------------------------------------------------

    inputs = property(lambda self: list(self._engine.inputs), doc="Names of the input blobs.")
    outputs = property(lambda self: list(self._engine.outputs),
                       doc="Names of the output blobs, alphabetically.")

    @property
    def layers(self) -> LayerVec:
        """All layers in execution order, Split layers included."""
        return self._layers

    @property
    def layer_dict(self) -> OrderedDict[str, Layer]:
        """Layers by name."""
        return ByName.of("layer", zip(self._layer_names, self._layers, strict=True))

    @property
    def top_names(self) -> OrderedDict[str, list[str]]:
        """Names of each layer's tops, by layer."""
        return OrderedDict(self._engine.top_names)

    @property
    def bottom_names(self) -> OrderedDict[str, list[str]]:
        """Names of each layer's bottoms, by layer."""
        return OrderedDict(self._engine.bottom_names)

    @property
    def blob_loss_weights(self) -> OrderedDict[str, float]:
        """Loss weight of each blob."""
        return OrderedDict(self._engine.blob_loss_weights)

    # pycaffe's low-level names --------------------------------------------------------------------

    _inputs = property(lambda self: IntVec(map(list(self._blob_names).index, self.inputs)))
    _outputs = property(lambda self: IntVec(map(list(self._blob_names).index, self.outputs)))
    _blob_loss_weights = property(lambda self: DtypeVec(
        self._engine.blob_loss_weights[name] for name in self._blob_names))

    def _forward(self, start: int, end: int) -> float:
        return self._engine.forward(start, end)

    def _backward(self, start: int, end: int) -> None:
        self._engine.backward(start, end)

    def _bottom_ids(self, layer: int) -> IntVec:
        return IntVec(self._ids[id(blob)] for blob in self._engine.nodes[layer].bottom)

    def _top_ids(self, layer: int) -> IntVec:
        return IntVec(self._ids[id(blob)] for blob in self._engine.nodes[layer].top)

    # Help -------------------------------------------------------------------------------------

    def _layer_index(self, name: str | None) -> int | None:
        if name is None:
            return None
        try:
            return self._layer_names.index(name)
        except ValueError:
            raise UsageError("the net has no such layer", got=name,
                             wanted=", ".join(self._layer_names)) from None

    def _check_order(self, earlier: str | None, first: int | None, later: str | None,
                     last: int | None) -> None:
        if first is not None and last is not None and first > last:
            raise UsageError("no layer lies between start and end",
                             got=f"'{earlier}' behind '{later}'",
                             remedy="forward runs down the definition, backward up; change start "
                                    "and end over")

    def _assign(self, arrays: Mapping[str, Any], names: Iterable[str], kind: str,
                target: Callable[[Blob], np.ndarray]) -> None:
        if set(arrays) != set(names):
            raise UsageError(f"arguments do not match the net's {kind} blobs",
                             got=sorted(arrays), wanted=sorted(names), remedy=None if names else
                             f"This net has no {kind} blobs: its data layers fill it")
        for name, values in arrays.items():
            blob, values = self.blobs[name], np.asarray(values)
            if values.dtype.kind not in "biuf":
                raise UsageError(f"{kind} '{name}' takes real numbers",
                                 got=f"an array of {values.dtype}")
            wrong = "is not batch sized" if values.shape[:1] != blob.shape[:1] else None
            try:
                np.broadcast_to(values, blob.shape)
            except ValueError:
                wrong = wrong or "does not fit"
            if wrong:
                raise ShapeError(f"{kind} '{name}' {wrong}", got=values.shape, wanted=blob.shape,
                                 remedy="Reshape the blob and then the net, or change the array.")
            target(blob)[...] = values


def _net_arguments(args: tuple, phase: int | None, level: int, stages: Names,
                   weights: Any) -> tuple[int, int, Names, Any]:
    if args and isinstance(args[0], (str, os.PathLike)):
        warnings.warn("Net(network_file, weights_file, phase) is the old form; write "
                      "Net(network_file, phase, weights=weights_file)", DeprecationWarning,
                      stacklevel=3)
        weights, args = args[0], args[1:]
    names = ("phase", "level", "stages", "weights")
    given = dict(zip(names, args, strict=False))
    phase = given.get("phase", phase)
    if phase is None or len(args) > len(names):
        raise TypeError("Net takes a network file and a phase (caffe.TRAIN or caffe.TEST), then "
                        "level, stages and weights")
    if phase not in (0, 1):
        raise UsageError("there is no such phase", got=phase, wanted="caffe.TRAIN or caffe.TEST")
    return (int(phase), given.get("level", level), given.get("stages", stages),
            given.get("weights", weights))
