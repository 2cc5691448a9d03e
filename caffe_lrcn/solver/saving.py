"""From a solver to the files of a snapshot, and from a snapshot to the solver's arrays."""
from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import log
from ..blob import Blob
from ..errors import SnapshotError
from ..proto.caffe_pb2 import SolverParameter
from ..proto.weights_io import SolverStateFile, write_solverstate, write_solverstate_h5
from .resume_file import ResumeFile, write_resume_file
from .snapshot import Snapshot, set_paths, write_set

if TYPE_CHECKING:
    from .solver import Solver


def save(solver: Solver, tests: list[dict[str, Any]], csv: dict[str, int] | None) -> str:
    """Write a snapshot of ``solver``; return the path of the solver state.

    Args:
        tests: states of the test nets as a run that is resumed shall find them.
        csv: size and checksum of the CSV log at that moment, None without one.

    Raises:
        SnapshotError: a file could not be written.
    """
    param = solver.param
    if not solver.prefix:
        raise SnapshotError("a snapshot is asked for, but snapshot_prefix is not set",
                            where=solver.definition.place.at())
    hdf5 = param.snapshot_format == SolverParameter.HDF5
    kind = "HDF5" if hdf5 else "binary proto"
    paths = set_paths(solver.prefix, solver.iter, hdf5)
    state = SolverStateFile(solver.iter, paths.weights,
                            [np.asarray(blob.host_data) for blob in solver.history],
                            solver.current_step)

    def write_weights(path: str) -> None:
        (solver.net.save_hdf5 if hdf5 else solver.net.save)(path, param.snapshot_diff)

    def write_state(path: str) -> None:
        (write_solverstate_h5 if hdf5 else write_solverstate)(path, state)

    def write_sidecar(path: str, files: dict[str, Any]) -> None:
        write_resume_file(path, ResumeFile(
            iteration=solver.iter, seed=solver.seed, written=time.time(), files=files,
            losses=solver.losses.state(), csv=csv, train=solver.net.state(), tests=tests))

    log.info(f"Snapshotting to {kind} file {paths.weights}")
    log.info(f"Snapshotting solver state to {kind} file {paths.state}")
    write_set(paths, write_weights, write_state, write_sidecar)
    return paths.state


def read_history(snapshot: Snapshot, wanted: Sequence[Blob]) -> list[np.ndarray]:
    """Return the histories of a solver state in the shapes of the solver's.

    Raises:
        SnapshotError: their number or a size is another one.
    """
    arrays = snapshot.state.history
    if len(arrays) != len(wanted):
        raise SnapshotError(
            "the solver state holds another number of histories", where=snapshot.path,
            got=len(arrays), wanted=len(wanted),
            remedy="It comes from another net or from a solver of another type.")
    for index, (array, blob) in enumerate(zip(arrays, wanted, strict=True)):
        if array.size != blob.count:
            raise SnapshotError(f"history {index} of the solver state has another shape",
                                where=snapshot.path, got=array.shape, wanted=blob.shape,
                                remedy="It comes from another net.")
    return [array.reshape(blob.shape) for array, blob in zip(arrays, wanted, strict=True)]
