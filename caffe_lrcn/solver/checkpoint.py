"""From a solver to the files of a snapshot, and back."""
from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import glog
from ..errors import SnapshotError
from ..net.weights import BINARY_LIMIT, binary_size
from ..proto.caffe_pb2 import SolverParameter
from ..proto.weights_io import SolverStateFile, write_solverstate, write_solverstate_h5
from .csv_log import Mark
from .resume_file import ResumeFile, write_resume_file
from .snapshot import Snapshot, find, load, prepare, set_paths, write_set
from .testing import BeforeTest

if TYPE_CHECKING:
    from .solver import Solver


def save(solver: Solver) -> str:
    """Write a snapshot of ``solver``; return the path of the solver state.

    Raises:
        SnapshotError: a file could not be written.
    """
    param = solver.param
    if not solver.prefix:
        raise SnapshotError("a snapshot is asked for, but snapshot_prefix is not set",
                            where=solver.definition.place.at())
    # One that nobody planned (a signal's, a script's) may be the first that needs the folder.
    prepare(solver.prefix)
    hdf5 = param.snapshot_format == SolverParameter.HDF5 or _too_large_for_binary(solver)
    kind = "HDF5" if hdf5 else "binary proto"
    paths = set_paths(solver.prefix, solver.iter, hdf5)
    state = SolverStateFile(solver.iter, paths.weights,
                            [np.asarray(blob.read_data()) for blob in solver.history],
                            solver.current_step)

    before = solver.before_test or BeforeTest([net.state() for net in solver.test_nets],
                                              solver.csv.position)
    csv = asdict(before.csv) if solver.keeps_csv else None

    def write_weights(path: str) -> None:
        (solver.net.save_hdf5 if hdf5 else solver.net.save)(path, param.snapshot_diff)

    def write_state(path: str) -> None:
        (write_solverstate_h5 if hdf5 else write_solverstate)(path, state)

    def write_sidecar(path: str, files: dict[str, Any]) -> None:
        write_resume_file(path, ResumeFile(
            iteration=solver.iter, seed=solver.seed, written=time.time(), files=files,
            losses=solver.losses.state(), csv=csv, train=solver.net.state(),
            tests=before.states, arithmetic=_arithmetic(solver)))

    glog.info(f"Snapshotting to {kind} file {paths.weights}")
    glog.info(f"Snapshotting solver state to {kind} file {paths.state}")
    write_set(paths, write_weights, write_state, write_sidecar)
    return paths.state


def _arithmetic(solver: Solver) -> dict[str, Any]:
    """Return what the bits of a run's numbers depend on, besides its definition."""
    backend = solver.backend
    return {"backend": backend.name, "type": str(backend.dtype), "--math": backend.math,
            "--strict": solver.settings.strict}


def _too_large_for_binary(solver: Solver) -> bool:
    weights = binary_size(solver.net, solver.param.snapshot_diff)
    history = 4 * sum(blob.count for blob in solver.history)
    if max(weights, history) <= BINARY_LIMIT:
        return False
    glog.info("The snapshot is too large for binary proto files (2 GiB): writing HDF5 instead")
    return True


def restore(solver: Solver, request: str) -> None:
    """Put ``solver`` into the state of a snapshot; see ``Solver.restore``."""
    path = find(request, solver.prefix)
    glog.info(f"Restoring previous solver status from {path}")
    snapshot = load(path)
    history = _histories(snapshot, solver)
    if snapshot.resume and len(snapshot.resume.tests) != len(solver.test_nets):
        raise SnapshotError("the snapshot was taken with another number of test nets", where=path,
                            got=len(snapshot.resume.tests), wanted=len(solver.test_nets))
    if snapshot.weights:
        _restore_weights(solver, snapshot.weights)
    for blob, values in zip(solver.history, history, strict=True):
        blob.host_data[...] = values
    solver.iter, solver.current_step = snapshot.state.iter, snapshot.state.current_step
    solver.display_clock = time.monotonic(), solver.iter
    solver.last_snapshot = path
    if snapshot.resume:
        _restore_exactly(solver, snapshot.resume)
    else:
        glog.warning(f"{path} has no .resume file beside it: data start from their beginning, and "
                    "random numbers differ from a run without a break")


def _restore_weights(solver: Solver, path: str) -> None:
    missing = solver.net.copy_trained_layers_from(path).missing
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        raise SnapshotError(f"the snapshot holds no weights of these layers: {names}", where=path,
                            remedy="It comes from another net. To start a new run from its "
                                   "weights, give this file to --weights")


def _restore_exactly(solver: Solver, resume: ResumeFile) -> None:
    if resume.seed != solver.seed:
        glog.warning(f"The snapshot comes from a run with random_seed {resume.seed}, this one has "
                    f"{solver.seed}: its random numbers differ from here on")
    now = _arithmetic(solver)
    for name, before in resume.arithmetic.items():
        if now.get(name) != before:
            glog.warning(f"The snapshot comes from a run with {name} {before}, this one has "
                        f"{now.get(name)}: its numbers differ from here on")
    solver.net.restore(resume.train)
    for net, state in zip(solver.test_nets, resume.tests, strict=True):
        net.restore(state)
    solver.keeps_losses = solver.losses.restore(resume.losses)
    if resume.csv:
        solver.csv.cut(Mark(**resume.csv))


def _histories(snapshot: Snapshot, solver: Solver) -> list[np.ndarray]:
    """Return the histories of a solver state in the shapes of the solver's."""
    arrays, wanted = snapshot.state.history, solver.history
    if len(arrays) != len(wanted):
        raise SnapshotError(
            "the solver state holds another number of histories", where=snapshot.path,
            got=len(arrays), wanted=len(wanted),
            remedy="It comes from another net or from a solver of another type.")
    for index, (array, blob) in enumerate(zip(arrays, wanted, strict=True)):
        if array.size != blob.count:
            owner, position = solver.net.param_owners[index % len(solver.net.param_owners)]
            raise SnapshotError(f"the history of parameter {position} has another shape",
                                where=snapshot.path, layer=solver.net.layer_names[owner],
                                got=array.shape, wanted=blob.shape,
                                remedy="It comes from another net.")
    return [array.reshape(blob.shape) for array, blob in zip(arrays, wanted, strict=True)]
