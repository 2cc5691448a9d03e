"""The values of a training run into the files of a snapshot, and back."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .. import glog
from ..blob import Blob
from ..errors import SnapshotError
from ..net.net import Net
from ..net.weights import BINARY_LIMIT, binary_size, load_into
from ..proto.caffe_pb2 import SolverParameter
from ..proto.weights_io import SolverStateFile, write_solverstate, write_solverstate_h5
from .data_files import Facts, compare
from .resume_file import ResumeFile, write_resume_file
from .snapshot import Snapshot, find, load, prepare, set_paths, write_set


def save(prefix: str, param: SolverParameter, net: Net, history: Sequence[Blob],
         current_step: int, resume: ResumeFile) -> str:
    """Write a snapshot; return the path of the solver state.

    Args:
        prefix: what the names of the files begin with.
        param: tells the format.
        net: the train net, whose weights are saved.
        history: what the update rule remembers.
        current_step: how many steps the learning rate has taken.
        resume: the rest; its files are filled in.

    Raises:
        SnapshotError: a file could not be written.
    """
    # One that nobody planned (a signal's, a script's) may be the first that needs the folder.
    prepare(prefix)
    diffs = param.snapshot_diff
    hdf5 = (param.snapshot_format == SolverParameter.HDF5
            or _too_large_for_binary(net, history, diffs))
    kind = "HDF5" if hdf5 else "binary proto"
    paths = set_paths(prefix, resume.iteration, hdf5)
    state = SolverStateFile(resume.iteration, paths.weights,
                            [np.asarray(blob.read_data()) for blob in history], current_step)

    def write_weights(path: str) -> None:
        (net.save_hdf5 if hdf5 else net.save)(path, diffs)

    def write_state(path: str) -> None:
        (write_solverstate_h5 if hdf5 else write_solverstate)(path, state)

    def write_sidecar(path: str, files: dict[str, Any]) -> None:
        write_resume_file(path, replace(resume, files=files))

    glog.info(f"Snapshotting to {kind} file {paths.weights}")
    glog.info(f"Snapshotting solver state to {kind} file {paths.state}")
    write_set(paths, write_weights, write_state, write_sidecar)
    return paths.state


def _too_large_for_binary(net: Net, history: Sequence[Blob], diffs: bool) -> bool:
    if max(binary_size(net, diffs), 4 * sum(blob.count for blob in history)) <= BINARY_LIMIT:
        return False
    glog.info("The snapshot is too large for binary proto files (2 GiB): writing HDF5 instead")
    return True


def restore(request: str, prefix: str, net: Net, history: Sequence[Blob],
            tests: int, data: Facts | None = None) -> Snapshot:
    """Read a snapshot into the weights of ``net`` and into ``history``; return the rest of it.

    Args:
        request: a solver state, ``latest``, or a prefix (see ``snapshot.find``).
        prefix: the solver's own prefix.
        tests: the number of test nets.
        data: what is read now; see ``data_files``. None: not compared.

    Raises:
        SnapshotError: there is no such snapshot, or it does not fit; nothing was changed.
        WeightsError: its weights do not fit the net.
    """
    path = find(request, prefix)
    glog.info(f"Restoring previous solver status from {path}")
    snapshot = load(path)
    values = _histories(snapshot, net, history)
    if snapshot.resume and len(snapshot.resume.tests) != tests:
        raise SnapshotError("the snapshot was taken with another number of test nets", where=path,
                            got=len(snapshot.resume.tests), wanted=tests)
    if snapshot.resume and data is not None:
        compare(snapshot.resume.data, data, path)
    if snapshot.weights:
        _restore_weights(net, snapshot.weights)
    for blob, array in zip(history, values, strict=True):
        blob.host_data[...] = array
    if not snapshot.resume:
        glog.warning(f"{path} has no .resume file beside it: data start from their beginning, and "
                     "random numbers differ from a run without a break")
    return snapshot


def warn_of_differences(resume: ResumeFile, seed: int, arithmetic: dict[str, Any]) -> None:
    """Log what makes a resumed run's numbers differ from those of the run that was saved."""
    if resume.seed != seed:
        glog.warning(f"The snapshot comes from a run with random_seed {resume.seed}, this one has "
                     f"{seed}: its random numbers differ from here on")
    for name, before in resume.arithmetic.items():
        if arithmetic.get(name) != before:
            glog.warning(f"The snapshot comes from a run with {name} {before}, this one has "
                         f"{arithmetic.get(name)}: its numbers differ from here on")


def _restore_weights(net: Net, path: str) -> None:
    missing = load_into(net, path).missing
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        raise SnapshotError(f"the snapshot holds no weights of these layers: {names}", where=path,
                            remedy="It comes from another net. To start a new run from its "
                                   "weights, give this file to --weights")


def _histories(snapshot: Snapshot, net: Net, wanted: Sequence[Blob]) -> list[np.ndarray]:
    """Return the histories of a solver state in the shapes that are wanted."""
    arrays = snapshot.state.history
    if len(arrays) != len(wanted):
        raise SnapshotError(
            "the solver state holds another number of histories", where=snapshot.path,
            got=len(arrays), wanted=len(wanted),
            remedy="It comes from another net or from a solver of another type.")
    for index, (array, blob) in enumerate(zip(arrays, wanted, strict=True)):
        if array.size != blob.count:
            owner, position = net.param_owners[index % len(net.param_owners)]
            raise SnapshotError(f"the history of parameter {position} has another shape",
                                where=snapshot.path, layer=net.layer_names[owner],
                                got=array.shape, wanted=blob.shape,
                                remedy="It comes from another net.")
    return [array.reshape(blob.shape) for array, blob in zip(arrays, wanted, strict=True)]
