"""pycaffe's classes over the engine: what old scripts import and call.

This module alone holds a default device and seed, as pycaffe does; the engine below takes both as
arguments.
"""
from __future__ import annotations

import os
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from . import blob as engine_blob
from .backends import Backend, get_backend
from .errors import DataError, ShapeError, UsageError
from .layer_types import TYPES
from .layer_types.base import Layer
from .net.net import Net as EngineNet
from .proto import text
from .rng import fresh_seed
from .solver.solver import Solver as EngineSolver


class _Defaults:
    gpu: int | None = None
    device_id: int = 0
    seed: int | None = None


def set_mode_cpu() -> None:
    """Build nets and solvers on the CPU from now on."""
    _Defaults.gpu = None


def set_mode_gpu() -> None:
    """Build nets and solvers on the GPU chosen by ``set_device`` (default 0) from now on."""
    _Defaults.gpu = _Defaults.device_id


def set_device(device_id: int) -> None:
    """Choose the GPU that ``set_mode_gpu`` uses."""
    _Defaults.device_id = int(device_id)
    if _Defaults.gpu is not None:
        _Defaults.gpu = _Defaults.device_id


def set_random_seed(seed: int) -> None:
    """Seed the random streams of the nets that are built from now on."""
    _Defaults.seed = int(seed)


def layer_type_list() -> list[str]:
    """Return the names of all layer types."""
    return sorted(TYPES)


def _backend() -> Backend:
    return get_backend("cpu" if _Defaults.gpu is None else f"gpu:{_Defaults.gpu}")


class Blob:
    """A blob as scripts see it: ``data`` and ``diff`` are writable NumPy views.

    On a CPU a held view stays live until the blob outgrows its storage; on a GPU reading
    ``data`` or ``diff`` makes the host copy current and the newest.
    """

    __slots__ = ("_blob",)

    def __init__(self, blob: engine_blob.Blob) -> None:
        self._blob = blob

    @property
    def data(self) -> np.ndarray:
        """Values, as a NumPy view."""
        return self._blob.host_data

    @property
    def diff(self) -> np.ndarray:
        """Gradient, as a NumPy view."""
        return self._blob.host_diff

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return self._blob.shape

    @property
    def count(self) -> int:
        """Number of elements."""
        return self._blob.count

    num = property(lambda self: self._blob.num, doc="Size of axis 0 (legacy name).")
    channels = property(lambda self: self._blob.channels, doc="Size of axis 1 (legacy name).")
    height = property(lambda self: self._blob.height, doc="Size of axis 2 (legacy name).")
    width = property(lambda self: self._blob.width, doc="Size of axis 3 (legacy name).")

    def reshape(self, *shape: int) -> None:
        """Set the shape; no arguments make a scalar."""
        self._blob.reshape(*shape)


class Net:
    """A net from files, with pycaffe's calls.

    ``Net(network_file, phase, level=0, stages=None, weights=None)``, or in the old form
    ``Net(network_file, weights_file, phase)``.

    Raises:
        PrototxtError, NetError, ShapeError, WeightsError: all of them RuntimeErrors.

    Source: pycaffe's Net.
    """

    def __init__(self, network_file: str | os.PathLike, *args: Any, phase: int | None = None,
                 level: int = 0, stages: Iterable[str] | None = None,
                 weights: str | os.PathLike | None = None) -> None:
        phase, level, stages, weights = _net_arguments(args, phase, level, stages, weights)
        seed = fresh_seed() if _Defaults.seed is None else _Defaults.seed
        self._wrap(EngineNet(text.read_net(os.fspath(network_file)), _backend(), phase=phase,
                             level=level, stages=stages or (), seed=seed))
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
        self.blobs = OrderedDict((name, Blob(blob)) for name, blob in engine.blobs.items())
        self.params = OrderedDict((name, [Blob(blob) for blob in blobs])
                                  for name, blobs in engine.params.items())

    inputs = property(lambda self: list(self._engine.inputs), doc="Names of the input blobs.")
    outputs = property(lambda self: list(self._engine.outputs),
                       doc="Names of the output blobs, alphabetically.")

    @property
    def layers(self) -> list[Layer]:
        """All layers in execution order, Split layers included."""
        return self._engine.layers

    @property
    def layer_dict(self) -> OrderedDict[str, Layer]:
        """Layers by name."""
        return OrderedDict(zip(self._engine.layer_names, self._engine.layers, strict=True))

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

    def forward(self, blobs: Iterable[str] | None = None, start: str | None = None,
                end: str | None = None, **kwargs: Any) -> dict[str, np.ndarray]:
        """Run layers ``start`` to ``end`` (inclusive; default all).

        Args:
            blobs: names of further blobs to return.
            start, end: layer names.
            kwargs: an array for each input blob (all or none), broadcast into it.

        Returns:
            The net's outputs (or the tops of ``end``) and ``blobs``, as live views.

        Raises:
            UsageError: the arrays do not match the net's inputs.
            ShapeError: an array's first axis is not the batch size.
        """
        engine = self._engine
        if kwargs:
            self._assign(kwargs, engine.inputs, "input", lambda blob: blob.data)
        engine.forward(self._layer_index(start), self._layer_index(end))
        names = engine.top_names[end] if end is not None else engine.outputs
        return {name: self.blobs[name].data for name in dict.fromkeys([*names, *(blobs or ())])}

    def backward(self, diffs: Iterable[str] | None = None, start: str | None = None,
                 end: str | None = None, **kwargs: Any) -> dict[str, np.ndarray]:
        """Run the backward passes of layers ``start`` down to ``end`` (inclusive; default all).

        Args:
            diffs: names of further blobs whose gradients to return.
            start, end: layer names.
            kwargs: a gradient for each output blob (all or none).

        Returns:
            Gradients of the net's inputs (or the bottoms of ``end``) and of ``diffs``.

        Raises:
            UsageError: the arrays do not match the net's outputs.
        """
        engine = self._engine
        if kwargs:
            tops = engine.top_names[start] if start is not None else engine.outputs
            self._assign(kwargs, tops, "output", lambda blob: blob.diff)
        engine.backward(self._layer_index(start), self._layer_index(end))
        names = engine.bottom_names[end] if end is not None else engine.inputs
        return {name: self.blobs[name].diff for name in dict.fromkeys([*names, *(diffs or ())])}

    def reshape(self) -> None:
        """Propagate shapes from the inputs without computing anything."""
        self._engine.reshape()

    def clear_param_diffs(self) -> None:
        """Set the gradients of all parameters to zero."""
        self._engine.clear_param_diffs()

    def copy_from(self, path: str | os.PathLike) -> None:
        """Load weights by layer name from a ``.caffemodel`` or ``.caffemodel.h5``."""
        self._engine.copy_trained_layers_from(os.fspath(path))

    def share_with(self, other: Net) -> None:
        """Use the parameter values of ``other``."""
        self._engine.share_trained_layers_with(other._engine)

    def save(self, path: str | os.PathLike) -> None:
        """Write a binary ``.caffemodel``."""
        self._engine.save(os.fspath(path))

    def _layer_index(self, name: str | None) -> int | None:
        if name is None:
            return None
        try:
            return self._engine.layer_names.index(name)
        except ValueError:
            raise UsageError("the net has no such layer", got=name,
                             wanted=", ".join(self._engine.layer_names)) from None

    def _assign(self, arrays: Mapping[str, Any], names: Iterable[str], kind: str,
                target: Callable[[Blob], np.ndarray]) -> None:
        if set(arrays) != set(names):
            raise UsageError(f"arguments do not match the net's {kind} blobs",
                             got=sorted(arrays), wanted=sorted(names))
        for name, values in arrays.items():
            blob = self.blobs[name]
            values = np.asarray(values)
            if blob.shape and values.shape[:1] != blob.shape[:1]:
                raise ShapeError(f"{kind} '{name}' is not batch sized", got=values.shape,
                                 wanted=blob.shape,
                                 remedy="Reshape the blob and then the net, or change the array.")
            target(blob)[...] = values


def _net_arguments(args: tuple, phase: int | None, level: int, stages: Iterable[str] | None,
                   weights: Any) -> tuple[int, int, Iterable[str] | None, Any]:
    if args and isinstance(args[0], (str, os.PathLike)):
        warnings.warn("Net(network_file, weights_file, phase) is the old form; write "
                      "Net(network_file, phase, weights=weights_file)", DeprecationWarning,
                      stacklevel=3)
        weights, args = args[0], args[1:]
    names = ("phase", "level", "stages", "weights")
    given = dict(zip(names, args, strict=False))
    phase = given.get("phase", phase)
    if phase is None:
        raise TypeError("Net() needs a phase: caffe.TRAIN or caffe.TEST")
    return (phase, given.get("level", level), given.get("stages", stages),
            given.get("weights", weights))


class SGDSolver:
    """A solver from a file; the class, not the file, decides the update rule.

    Source: pycaffe's solvers.
    """

    _type: str | None = "SGD"

    def __init__(self, solver_file: str | os.PathLike) -> None:
        path = os.fspath(solver_file)
        if not os.path.exists(path):
            raise DataError("no such solver file", where=path)
        definition = text.read_solver(path)
        if self._type is not None:
            definition.param.type = self._type
        if _Defaults.seed is not None and definition.param.random_seed < 0:
            definition.param.random_seed = _Defaults.seed
        self._solver = EngineSolver(definition, backend=_backend())
        self.net = Net.from_engine(self._solver.net)
        self.test_nets = [Net.from_engine(net) for net in self._solver.test_nets]

    iter = property(lambda self: self._solver.iter, doc="Number of finished iterations.")
    param = property(lambda self: self._solver.param, doc="The SolverParameter.")

    def step(self, iterations: int) -> None:
        """Train for ``iterations`` iterations."""
        self._solver.step(iterations)

    def solve(self, resume_file: str | os.PathLike | None = None) -> None:
        """Train to ``max_iter``, after resuming from a solver state if one is given."""
        self._solver.solve(os.fspath(resume_file) if resume_file else None)

    def snapshot(self) -> None:
        """Write weights and solver state under ``snapshot_prefix``."""
        self._solver.snapshot()

    def restore(self, path: str | os.PathLike) -> None:
        """Resume from a ``.solverstate`` or ``.solverstate.h5``."""
        self._solver.restore(os.fspath(path))


class _FileSolver(SGDSolver):
    _type = None


def get_solver(solver_file: str | os.PathLike) -> SGDSolver:
    """Return a solver of the type that the file names."""
    return _FileSolver(solver_file)
