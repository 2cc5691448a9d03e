"""Binary .solverstate files: what a solver needs, beside the weights, to go on."""
from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np

from caffe_lrcn.errors import SnapshotError
from caffe_lrcn.proto.blob_proto import MAX_BLOBS, encode_blob, framed, read_blob
from caffe_lrcn.proto.wire import LEN, VARINT, Wire, encode_bytes, encode_tag, encode_varint

_ITER, _LEARNED_NET, _HISTORY, _CURRENT_STEP = 1, 2, 3, 4


@dataclass
class SolverStateFile:
    """The contents of a solver state.

    Attributes:
        iter: iterations done.
        learned_net: path of the weights, as written by whoever took the snapshot.
        history: the solver's arrays: one per learned parameter, for each kind of history.
        current_step: multistep: steps taken.
    """

    iter: int
    learned_net: str = ""
    history: list[np.ndarray] = field(default_factory=list)
    current_step: int = 0


def read_state_wire(wire: Wire) -> SolverStateFile:
    """Read the SolverState of a binary .solverstate.

    Raises:
        SnapshotError: the bytes are damaged, truncated, or not a solver state.

    Source: Caffe sgd_solver.cpp (RestoreSolverStateFromBinaryProto).
    """
    state = SolverStateFile(-1)
    for entry in wire.fields(0, len(wire.data), "the solver state"):
        if entry.wire_type == VARINT and entry.number in (_ITER, _CURRENT_STEP):
            if entry.value >= 1 << 31:
                wire.fail(entry.tag_start, f"{entry.value} is not a number of iterations or steps")
            if entry.number == _ITER:
                state.iter = entry.value
            else:
                state.current_step = entry.value
        elif entry.wire_type == LEN and entry.number == _LEARNED_NET:
            state.learned_net = wire.text(entry)
        elif entry.wire_type == LEN and entry.number == _HISTORY:
            what = f"history {len(state.history)}"
            state.history.append(read_blob(wire, entry.start, entry.end, what).data)
            if len(state.history) > MAX_BLOBS:
                wire.fail(entry.tag_start, "too many histories for a solver")
    if state.iter < 0:
        raise SnapshotError("the file holds no iteration number", where=wire.label,
                            wanted="a SolverState (.solverstate)")
    return state


def write_state_binary(path: str | os.PathLike[str], state: SolverStateFile) -> None:
    """Write a binary .solverstate.

    Raises:
        WeightsError: a history that is neither float32 nor float64.
        OSError: the file cannot be written.

    Source: Caffe sgd_solver.cpp (SnapshotSolverStateToBinaryProto).
    """
    with open(path, "wb") as stream:
        stream.write(encode_tag(_ITER, VARINT) + encode_varint(state.iter))
        stream.write(encode_bytes(_LEARNED_NET, state.learned_net.encode()))
        for array in state.history:
            stream.writelines(framed(_HISTORY, encode_blob(array)))
        stream.write(encode_tag(_CURRENT_STEP, VARINT) + encode_varint(state.current_step))
