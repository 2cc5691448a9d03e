"""The front door for weights and solver states: binary or HDF5, told apart by content."""
from __future__ import annotations

import os

from caffe_lrcn.errors import CaffeError, SnapshotError, WeightsError
from caffe_lrcn.proto import caffemodel, hdf5_io
from caffe_lrcn.proto.blob_proto import read_blob_proto, write_blob_proto
from caffe_lrcn.proto.caffemodel import (
    LayerRecord,
    WeightFile,
    WeightLayer,
    read_wire,
    write_caffemodel,
)
from caffe_lrcn.proto.file_kinds import (
    ARRAY,
    HDF5,
    HEAD_BYTES,
    OTHER,
    STATE,
    TEXT,
    WEIGHTS,
    kind_of,
)
from caffe_lrcn.proto.solverstate import SolverStateFile, read_state_wire, write_state_binary
from caffe_lrcn.proto.wire import Wire, open_wire

__all__ = ["LayerRecord", "SolverStateFile", "WeightFile", "WeightLayer", "find_vocabulary",
           "read_blob_proto", "read_solverstate", "read_weights", "write_blob_proto",
           "write_solverstate", "write_solverstate_h5", "write_weights", "write_weights_h5"]

write_weights = write_caffemodel
write_weights_h5 = hdf5_io.write_weights_h5
write_solverstate = write_state_binary
write_solverstate_h5 = hdf5_io.write_solverstate_h5

_REMEDIES = {
    (WeightsError, TEXT): "This looks like a definition (prototxt); weights are binary",
    (WeightsError, STATE): "A solver state goes to --snapshot; its weights are in the .caffemodel "
                           "beside it",
    (WeightsError, ARRAY): "This looks like an image mean",
    (SnapshotError, TEXT): "This looks like a definition (prototxt); a solver state is binary",
    (SnapshotError, WEIGHTS): "Weights go to --weights; the solver state is in the .solverstate "
                              "beside them",
}


def read_weights(path: str | os.PathLike[str]) -> WeightFile:
    """Read the weights in a .caffemodel or .caffemodel.h5.

    Raises:
        WeightsError: the file is missing, empty, damaged, truncated, or something else.
    """
    wire = open_wire(path)
    if _checked_kind(wire, WeightsError, WEIGHTS) == HDF5:
        return hdf5_io.read_weights_h5(path)
    return read_wire(wire)


def find_vocabulary(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of the vocabulary whose ids a net has learnt, as its weights tell, or ''.

    Raises:
        WeightsError: the file is missing, empty, damaged, truncated, or something else.
    """
    wire = open_wire(path)
    if _checked_kind(wire, WeightsError, WEIGHTS) == HDF5:
        return hdf5_io.find_vocabulary_h5(path)
    return caffemodel.find_vocabulary(wire)


def read_solverstate(path: str | os.PathLike[str]) -> SolverStateFile:
    """Read a .solverstate or .solverstate.h5.

    Raises:
        SnapshotError: the file is missing, empty, damaged, truncated, or something else.
    """
    wire = open_wire(path, SnapshotError)
    if _checked_kind(wire, SnapshotError, STATE) == HDF5:
        return hdf5_io.read_solverstate_h5(path)
    return read_state_wire(wire)


def _checked_kind(wire: Wire, error: type[CaffeError], wanted: str) -> str:
    """Return the kind of a file if it may be the wanted one, or HDF5."""
    kind = kind_of(bytes(wire.data[:HEAD_BYTES]))
    if kind not in (wanted, HDF5, OTHER):
        raise error("this is the wrong kind of file", where=wire.label, got=kind,
                    wanted=f"{wanted}, or HDF5", remedy=_REMEDIES.get((error, kind)))
    return kind
