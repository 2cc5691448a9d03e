"""Snapshots on the disk: written so that a kill at any moment leaves complete sets only.

A set is the weights, the solver state and the sidecar (``resume_file.py``) of one iteration. All
are written under temporary names and synced, then renamed: weights, sidecar, solver state last.
Source: Caffe's Solver::Snapshot (names of the files); the order and the sidecar are ours.
"""
from __future__ import annotations

import errno
import glob
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from .. import glog
from ..errors import CaffeError, SnapshotError
from ..files import claim, remove_leftovers, replacing, sync, temporary, writing
from ..proto.file_kinds import missing_file_remedy
from ..proto.weights_io import SolverStateFile, read_solverstate
from .resume_file import ResumeFile, fingerprint, read_resume_file, write_resume_file

LATEST = "latest"
AUTO = "auto"
_STATE_NAME = re.compile(r"(?P<stem>.*_iter_(?P<iteration>\d+))\.solverstate(?:\.h5)?")

Writer = Callable[[str], None]


@dataclass(frozen=True)
class SetPaths:
    """Names of the three files of a snapshot."""

    weights: str
    state: str
    sidecar: str


def set_paths(prefix: str, iteration: int, hdf5: bool) -> SetPaths:
    """Return the names under which the snapshot of an iteration is kept."""
    stem, ending = f"{prefix}_iter_{iteration}", ".h5" if hdf5 else ""
    return SetPaths(f"{stem}.caffemodel{ending}", f"{stem}.solverstate{ending}", f"{stem}.resume")


def sidecar_of(state_path: str) -> str:
    """Return the name of the sidecar that belongs to a solver state."""
    return re.sub(r"\.solverstate(\.h5)?$", "", state_path) + ".resume"


def prepare(prefix: str) -> None:
    """Make the snapshots' folder, see that it can be written, and remove what a kill left.

    Raises:
        SnapshotError: the folder cannot be made or written.
    """
    folder = os.path.dirname(prefix) or "."
    with writing(folder, SnapshotError, "snapshots", "Set snapshot_prefix to a folder that is "
                 "writable, for example with --set snapshot_prefix=out/mynet."):
        os.makedirs(folder, exist_ok=True)
        os.remove(claim(f"{prefix}_iter_0"))
        remove_leftovers(f"{prefix}_iter_")


def write_set(paths: SetPaths, write_weights: Writer, write_state: Writer,
              write_sidecar: Callable[[str, dict], None]) -> None:
    """Write a snapshot's files; each writer gets the temporary name to write to.

    Args:
        write_sidecar: also gets the fingerprints of the other two files, by name.

    Raises:
        SnapshotError: a file could not be written; nothing of the set remains.
    """
    current = paths.weights
    order = (paths.weights, paths.sidecar, paths.state)
    try:
        files = {}
        for current, write in ((paths.weights, write_weights), (paths.state, write_state)):
            write(claim(current))
            sync(temporary(current))
            files[os.path.basename(current)] = fingerprint(temporary(current))
        current = paths.sidecar
        write_sidecar(claim(current), files)
        sync(temporary(current))
        for current in order:
            os.replace(temporary(current), current)
        sync(os.path.dirname(paths.state) or ".")
    except BaseException as error:
        for path in order:
            with suppress(OSError):
                os.remove(temporary(path))
        if not isinstance(error, Exception):
            raise
        problem = getattr(error, "strerror", None) or error
        raise SnapshotError(f"the snapshot could not be written: {problem}", where=current,
                            remedy=_remedy(error)) from error


def _remedy(error: Exception) -> str:
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    cure = ("Make room on the disk (or set another snapshot_prefix)" if full
            else "Set another snapshot_prefix, or see why this file cannot be written,")
    return f"{cure} and resume from the last snapshot, which is untouched"


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that was read: the solver state, where the weights are, and the sidecar if any."""

    path: str
    state: SolverStateFile
    weights: str | None
    resume: ResumeFile | None


def load(path: str) -> Snapshot:
    """Read a solver state and its sidecar and check that the set belongs together.

    Raises:
        SnapshotError: a file is missing or damaged, or the sidecar is that of other files.
    """
    state = read_solverstate(path)
    sidecar = sidecar_of(path)
    if not os.path.exists(sidecar):
        return Snapshot(path, state, _find_weights(path, state), None)
    resume = read_resume_file(sidecar)
    folder = os.path.dirname(path)
    if os.path.basename(path) not in resume.files:
        raise _mismatch(sidecar, path)
    weights = None
    for name, wanted in resume.files.items():
        file = os.path.join(folder, name)
        if not os.path.exists(file):
            raise SnapshotError("a file of this snapshot is missing", where=file,
                                remedy="Copy all three files of a snapshot together.")
        if fingerprint(file) != wanted:
            raise _mismatch(sidecar, file)
        if name != os.path.basename(path):
            weights = file
    return Snapshot(path, state, weights, resume)


def seed_of(path: str) -> int | None:
    """Return the seed of the run that wrote a solver state, None if nothing tells."""
    sidecar = sidecar_of(path)
    return read_resume_file(sidecar).seed if os.path.exists(sidecar) else None


def _mismatch(sidecar: str, file: str) -> SnapshotError:
    return SnapshotError(f"this file does not belong to '{file}'", where=sidecar,
                         remedy="One of them comes from another run or was changed. Resume from "
                                "another snapshot, or remove the .resume file to go on without "
                                "data positions, as Caffe does.")


def _find_weights(path: str, state: SolverStateFile) -> str | None:
    """Return where ``learned_net`` is: as written, or beside the state."""
    if not state.learned_net:
        return None
    beside = os.path.join(os.path.dirname(path), os.path.basename(state.learned_net))
    for candidate in (state.learned_net, beside):
        if os.path.exists(candidate):
            return candidate
    raise SnapshotError("the weights that this solver state names are missing", where=path,
                        got=state.learned_net,
                        remedy=f"Put {os.path.basename(state.learned_net)} beside the "
                               ".solverstate.")


def find(request: str, prefix: str) -> str:
    """Return the path of the solver state that a user asks for.

    Args:
        request: a file; ``latest`` for the furthest complete set under ``prefix``; or another
            prefix, whose furthest complete set is taken. Sets that a training left behind when it
            went back to an earlier one do not count.
        prefix: the solver's own snapshot_prefix.

    Raises:
        SnapshotError: there is no such file, or no complete set.
    """
    if request != LATEST and (os.path.exists(request) or ".solverstate" in request
                              or ".caffemodel" in request):
        _check_request(request)
        return request
    wanted = prefix if request == LATEST else request
    found = _furthest(wanted)
    if found is None:
        raise SnapshotError("there is no complete snapshot with this prefix", where=wanted,
                            wanted=f"{wanted}_iter_N.solverstate with its .caffemodel",
                            remedy="--snapshot auto begins a new run where there is none")
    return found


def find_if_any(prefix: str) -> str | None:
    """Return the furthest complete set of a prefix; None if no snapshot was ever taken.

    Raises:
        SnapshotError: there are snapshots, and none of them is complete.
    """
    if not states_of(prefix):
        return None
    return find(LATEST, prefix)


def _furthest(prefix: str) -> str | None:
    for path in sorted(reversed(states_of(prefix)), key=_branch_of, reverse=True):
        try:
            load(path)
        except CaffeError as error:
            glog.warning(f"Skipping an incomplete snapshot: {error}")
            continue
        return path
    return None


def branch(prefix: str, found: Snapshot) -> int:
    """Return the branch of a training that goes on from a set; see ``ResumeFile``.

    If there are further sets, they are given up: that is said, and noted in the sidecar of this
    one, so that ``latest`` is this one until there are others.

    Raises:
        SnapshotError: the sidecar cannot be written.
    """
    own, states = _branch_of(found.path), states_of(prefix)
    further = [path for path in states
               if _iteration_of(path) > found.state.iter and _branch_of(path) >= own]
    if not further:
        return own
    new = 1 + max(map(_branch_of, states))
    glog.warning(f"The training goes back to {found.path}. There are further snapshots, up to "
                 f"{further[-1]}, which --snapshot latest no longer takes; what has their names "
                 "is overwritten")
    if found.resume and os.path.abspath(found.path) in map(os.path.abspath, states):
        sidecar = sidecar_of(found.path)
        with replacing(sidecar, SnapshotError, "the sidecar of the snapshot") as name:
            write_resume_file(name, replace(found.resume, branch=new))
    return new


def _branch_of(path: str) -> int:
    try:
        return read_resume_file(sidecar_of(path)).branch
    except SnapshotError:
        return 0  # there is none, or a damaged one


def states_of(prefix: str) -> list[str]:
    """Return the solver states of a prefix by rising iteration."""
    found = []
    for path in glob.glob(f"{glob.escape(prefix)}_iter_*.solverstate*"):
        match = _STATE_NAME.fullmatch(path)
        if match and match["stem"] == f"{prefix}_iter_{match['iteration']}":
            found.append(path)
    return sorted(found, key=lambda path: (_iteration_of(path), path))


def _weights_of(prefix: str) -> list[str]:
    """Return the weights of a prefix by rising iteration, but for those of unfinished sets."""
    pattern = re.compile(r"_iter_(\d+)\.caffemodel(?:\.h5)?")
    found = []
    for path in glob.glob(f"{glob.escape(prefix)}_iter_*.caffemodel*"):
        match = pattern.fullmatch(path, len(prefix))
        if match and not os.path.exists(f"{prefix}_iter_{match[1]}.resume"):
            found.append((int(match[1]), path))
    return [path for _, path in sorted(found)]


def _iteration_of(path: str) -> int:
    match = _STATE_NAME.fullmatch(path)
    return int(match["iteration"]) if match else 0


def refuse_to_overwrite(prefix: str, weights: bool = True) -> None:
    """See that a run which begins has the prefix for itself.

    Args:
        prefix: of the snapshots.
        weights: weights without a solver state count, too: somebody kept them. Not for a run that
            begins where there is nothing to go on from: a kill may have left them.

    Raises:
        SnapshotError: there are snapshots of another run.
    """
    states = states_of(prefix) or (_weights_of(prefix) if weights else [])
    if states:
        raise SnapshotError("there are snapshots of a run with this prefix, which a new one would "
                            "overwrite", where=prefix, got=os.path.basename(states[-1]),
                            remedy="Go on from them with --snapshot auto, begin beside them with "
                                   "--run NAME or --set snapshot_prefix=out/other, or begin anew "
                                   "with --force")


def forget(prefix: str) -> None:
    """Remove the solver states and sidecars of a prefix: its weights stay until overwritten.

    Raises:
        SnapshotError: a file cannot be removed.
    """
    for state in states_of(prefix):
        with writing(state, SnapshotError, "the solver state"):
            os.remove(state)
            with suppress(FileNotFoundError):
                os.remove(sidecar_of(state))


def _check_request(path: str) -> None:
    if re.search(r"\.caffemodel(\.h5)?$", path):
        raise SnapshotError("this is a file of weights, not a solver state", where=path,
                            remedy="Give it to --weights to start from it; --snapshot takes the "
                                   ".solverstate.")
    if os.path.isdir(path):
        raise SnapshotError("this is a folder, not a solver state", where=path,
                            remedy="Name a .solverstate in it, or a snapshot_prefix to take its "
                                   "furthest one")
    if not os.path.isfile(path):
        raise SnapshotError("there is no such snapshot", where=path,
                            remedy=missing_file_remedy(path))
