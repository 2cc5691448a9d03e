"""Weights and solver states in HDF5, laid out as Caffe does.

Weights: a group `data` with a group per layer and datasets "0", "1", ... in it; gradients likewise
in `diff`. States: `iter`, `current_step`, `learned_net`, and a group `history` of datasets.
"""
from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np

from caffe_lrcn.errors import CaffeError, SnapshotError, WeightsError
from caffe_lrcn.hdf5_files import hdf5_errors, member, new_hdf5
from caffe_lrcn.memory import check_room
from caffe_lrcn.proto.caffemodel import LayerRecord, WeightFile, WeightLayer
from caffe_lrcn.proto.solverstate import SolverStateFile

DIALECT = "HDF5"
# deflate can shrink zeros by about this factor, so a longer dataset is a damaged header.
_MAX_COMPRESSION = 1100
#: Most bytes of what is a number or a path.
_SMALL = 1 << 16
_FLOATS = (np.dtype("f4"), np.dtype("f8"))
_VOCABULARY = "vocabulary_sha256"


def read_weights_h5(path: str | os.PathLike[str]) -> WeightFile:
    """Read a .caffemodel.h5; layers come in the order of their names, and without a type.

    Raises:
        WeightsError: the file is damaged, truncated, or holds no weights.

    Source: Caffe net.cpp (CopyTrainedLayersFromHDF5).
    """
    with _open(path, WeightsError) as file:
        if not isinstance(member(file, "data", WeightsError), h5py.Group):
            remedy = "This looks like a solver state; it goes to --snapshot" if (
                "history" in file) else None
            raise WeightsError("the file holds no weights (no group 'data')", remedy=remedy)
        diffs = dict(_layer_groups(file, "diff")) if "diff" in file else {}
        layers = []
        for name, group in _layer_groups(file, "data"):
            blobs = _read_numbered(group, WeightsError)
            gradients = _read_numbered(diffs[name], WeightsError) if name in diffs else []
            gradients = [*gradients, *[None] * len(blobs)][:len(blobs)]
            layers.append(WeightLayer(name, "", blobs, gradients, [False] * len(blobs)))
            layers[-1].definition.name = name
    return WeightFile("", layers, DIALECT)


def find_vocabulary_h5(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of the vocabulary that a .caffemodel.h5 names, or ''.

    Raises:
        WeightsError: the file is damaged or truncated.
    """
    with _open(path, WeightsError) as file:
        found = file.attrs.get(_VOCABULARY, "")
        return found if isinstance(found, str) else ""


def write_weights_h5(path: str | os.PathLike[str], layers: Iterable[LayerRecord],
                     vocabulary: str = "") -> None:
    """Write a .caffemodel.h5.

    Args:
        layers: definition, values and gradients of each layer. A value of None stands for a
            parameter that an earlier layer owns: it is not stored again.
        vocabulary: SHA-256 of the vocabulary whose ids the net has learnt, if there is one.

    Raises:
        WeightsError: two layers with parameters have the same name (where Caffe aborts for any
            two layers of one name, those without parameters are let pass).
        OSError: the file cannot be written.

    Source: Caffe net.cpp (ToHDF5).
    """
    with new_hdf5(path) as file:
        if vocabulary:
            file.attrs[_VOCABULARY] = vocabulary
        data = file.create_group("data")
        for definition, blobs, diffs in layers:
            group = data.require_group(definition.name)
            if len(group) and len(blobs):
                raise WeightsError("two layers with parameters have this name, which HDF5 "
                                   "cannot store", layer=definition.name,
                                   remedy="Rename one, or set snapshot_format: BINARYPROTO")
            _write_numbered(group, blobs)
            if diffs and any(diff is not None for diff in diffs):
                _write_numbered(file.require_group(f"diff/{definition.name}"), diffs)


def read_solverstate_h5(path: str | os.PathLike[str]) -> SolverStateFile:
    """Read a .solverstate.h5.

    Raises:
        SnapshotError: the file is damaged, truncated, or holds no solver state.

    Source: Caffe sgd_solver.cpp (RestoreSolverStateFromHDF5).
    """
    with _open(path, SnapshotError) as file:
        if "iter" not in file or "history" not in file:
            remedy = "This looks like weights; they go to --weights" if "data" in file else None
            raise SnapshotError("the file holds no solver state (no 'iter' and 'history')",
                                remedy=remedy)
        net = _read_small(file, "learned_net") if "learned_net" in file else b""
        history = _read_numbered(member(file, "history", SnapshotError), SnapshotError)
        if any(array is None for array in history):
            raise SnapshotError("a history is missing", got=list(file["history"]))
        step = int(_read_small(file, "current_step")[0]) if "current_step" in file else 0
        return SolverStateFile(int(_read_small(file, "iter")[0]),
                               bytes(net).decode("utf-8", "replace"), history, step)


def write_solverstate_h5(path: str | os.PathLike[str], state: SolverStateFile) -> None:
    """Write a .solverstate.h5.

    Source: Caffe sgd_solver.cpp (SnapshotSolverStateToHDF5).
    """
    with new_hdf5(path) as file:
        file["iter"] = np.array([state.iter], np.int32)
        _write_c_string(file, "learned_net", state.learned_net)
        file["current_step"] = np.array([state.current_step], np.int32)
        _write_numbered(file.create_group("history"), state.history)


@contextmanager
def _open(path: str | os.PathLike[str], error: type[CaffeError]) -> Iterator[h5py.File]:
    """Open for reading; whatever HDF5 finds wrong, and our own errors, name the file."""
    with (hdf5_errors(path, error, "Copy or download the file again"),
          h5py.File(os.fspath(path), "r") as file):
        yield file


def _layer_groups(file: h5py.File, root: str) -> Iterator[tuple[str, h5py.Group]]:
    """Yield name and group of each layer; a '/' in a layer's name makes groups in groups."""
    seen: set[int] = set()

    def below(group: h5py.Group, prefix: str) -> Iterator[tuple[str, h5py.Group]]:
        # Links to one group from many places would be more paths than anybody can walk.
        address = h5py.h5o.get_info(group.id).addr
        if address in seen:
            raise WeightsError("two links lead to one group", got=group.name)
        seen.add(address)
        for name in group:
            found = member(group, name, WeightsError)
            if isinstance(found, h5py.Group):
                inner = sum(found.get(child, getclass=True) is h5py.Group for child in found)
                if inner < len(found) or not inner:
                    yield prefix + name, found
                if inner:
                    yield from below(found, f"{prefix}{name}/")

    yield from below(member(file, root, WeightsError), "")


def _read_numbered(group: h5py.Group, error: type[CaffeError]) -> list:
    """Read the datasets "0", "1", ... of a group; None for the numbers between that are absent."""
    numbers = {int(name) for name in group if name.isdecimal()}
    count = max(numbers, default=-1) + 1
    if count > 10 * len(numbers) + 100:
        raise error("the datasets are not numbered one by one", got=f"'{count - 1}' in "
                    f"'{group.name}'")
    return [_read_array(member(group, str(i), error), error) if i in numbers else None
            for i in range(count)]


def _read_array(dataset: h5py.Dataset, error: type[CaffeError]) -> np.ndarray:
    limit = os.path.getsize(dataset.file.filename) * _MAX_COMPRESSION
    if dataset.dtype not in _FLOATS or dataset.nbytes > limit:
        raise error(f"'{dataset.name}' is not an array of weights",
                    got=f"{dataset.dtype}, {dataset.nbytes} bytes", wanted="float32 or float64")
    check_room(dataset.nbytes, error, f"'{dataset.name}'")
    return np.asarray(dataset[()])


def _read_small(file: h5py.File, name: str) -> Any:
    dataset = member(file, name, SnapshotError)
    if dataset.nbytes > _SMALL:
        raise SnapshotError(f"'{name}' is neither a number nor a path",
                            got=f"{dataset.nbytes} bytes")
    return dataset[()]


def _write_numbered(group: h5py.Group, arrays: Iterable[np.ndarray | None]) -> None:
    for index, array in enumerate(arrays):
        if array is not None:
            group.create_dataset(str(index), data=array)


def _write_c_string(group: h5py.Group, name: str, text: str) -> None:
    """Write a string that ends with a zero byte, since Caffe reads it as a C string."""
    raw = text.encode()
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(len(raw) + 1)
    kind.set_strpad(h5py.h5t.STR_NULLTERM)
    space = h5py.h5s.create(h5py.h5s.SCALAR)
    dataset = h5py.h5d.create(group.id, name.encode(), kind, space)
    dataset.write(space, space, np.array(raw + b"\0", f"S{len(raw) + 1}"), kind)
