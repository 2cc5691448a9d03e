"""Whole runs of the miniature LRCN against trajectories recorded from BVLC Caffe."""
from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.proto.text import read_solver
from caffe_lrcn.solver.solver import Solver

GOLDEN = Path(__file__).parents[1] / "golden" / "solvers"
RUNS = ["sgd", "sgd_momentum_step_clip", "sgd_hdf5", "adam", "nesterov_inv"]
SUFFIX = {"sgd_hdf5": ".h5"}


@pytest.fixture(autouse=True)
def _working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def make_solver(name: str, device: str = "cpu") -> Solver:
    definition = read_solver(GOLDEN / f"{name}_solver.prototxt")
    definition.param.weights.append(f"{name}_init.caffemodel")
    return Solver(definition, backend=get_backend(device))


def close(got, want) -> None:
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape
    assert (np.abs(got - want) <= 2e-4 * (1 + np.abs(want))).all()


def train(solver: Solver, iterations: int) -> tuple[list[float], list[float]]:
    losses, accuracies = [], []
    for _ in range(iterations):
        solver.step(1)
        losses.append(float(solver.net.blobs["cross_entropy_loss"].data))
        accuracies.append(float(solver.net.blobs["accuracy"].data))
    return losses, accuracies


def check_final(solver: Solver, file: h5py.File) -> None:
    for name, group in file["final"].items():
        blobs = solver.net.params[name]
        assert len(blobs) == len(group)
        for index, blob in enumerate(blobs):
            close(blob.host_data, group[str(index)][()])


@pytest.mark.parametrize("name", RUNS)
def test_trajectory(name):
    solver = make_solver(name)
    with h5py.File(GOLDEN / f"{name}_trajectory.h5") as file:
        losses, accuracies = train(solver, 12)
        close(losses, file["loss"][:12])
        close(accuracies, file["accuracy"][:12])
        check_final(solver, file)
    solver.close()


@pytest.mark.parametrize("name", RUNS)
def test_resume_from_caffes_own_snapshot(name):
    solver = make_solver(name)
    train(solver, 6)  # brings the data and the carried LSTM state to their place
    for blob in [*solver.net.learnable_params, *solver.history]:
        blob.host_data[...] = 7
    solver.current_step = 5
    solver.restore(str(GOLDEN / f"{name}_iter_6.solverstate{SUFFIX.get(name, '')}"))
    assert solver.iter == 6 and solver.current_step == (1 if "step" in name else 0)
    with h5py.File(GOLDEN / f"{name}_trajectory.h5") as file:
        losses, accuracies = train(solver, 6)
        close(losses, file["loss"][6:12])
        close(accuracies, file["accuracy"][6:12])
        check_final(solver, file)
    solver.close()


@pytest.mark.parametrize("name", RUNS)
def test_snapshot_holds_what_caffes_holds(name, tmp_path):
    """The files written at iteration 6 say what Caffe's say, in the same layout."""
    suffix = SUFFIX.get(name, "")
    solver = make_solver(name)
    train(solver, 6)
    solver.close()
    ours, theirs = make_solver(name), make_solver(name)
    ours.restore(str(tmp_path / f"{name}_iter_6.solverstate{suffix}"))
    theirs.restore(str(GOLDEN / f"{name}_iter_6.solverstate{suffix}"))
    for kind in (lambda s: s.net.learnable_params, lambda s: s.history):
        for mine, other in zip(kind(ours), kind(theirs), strict=True):
            close(mine.host_data, other.host_data)
    assert (ours.iter, ours.current_step) == (theirs.iter, theirs.current_step)
    if suffix:
        with h5py.File(f"{name}_iter_6.solverstate.h5") as mine, \
                h5py.File(GOLDEN / f"{name}_iter_6.solverstate.h5") as other:
            assert _layout(mine) == _layout(other)
        with h5py.File(f"{name}_iter_6.caffemodel.h5") as mine, \
                h5py.File(GOLDEN / f"{name}_iter_6.caffemodel.h5") as other:
            assert _layout(mine) == _layout(other)
    ours.close()
    theirs.close()


def _layout(file: h5py.File) -> dict:
    found = {}

    def visit(name, item):
        found[name] = (item.shape, item.dtype.kind, item.dtype.itemsize
                       if item.dtype.kind != "S" else 0) if isinstance(item, h5py.Dataset) else None
    file.visititems(visit)
    return found


def test_a_wrong_momentum_would_be_noticed():
    solver = make_solver("sgd_momentum_step_clip")
    solver.param.momentum = 0.8
    train(solver, 12)
    with h5py.File(GOLDEN / "sgd_momentum_step_clip_trajectory.h5") as file, \
            pytest.raises(AssertionError):
        check_final(solver, file)
    solver.close()


@pytest.mark.skipif(not shutil.which("g++"), reason="no compiler to build the kernels for the host")
def test_cuda_kernels_take_the_same_steps():
    """Two iterations through the CUDA launchers and host-compiled kernels equal the CPU's."""
    results = []
    for device in ("cpu", "cuda-host"):
        solver = make_solver("sgd_momentum_step_clip", device)
        results.append((train(solver, 2), [blob.host_data.copy()
                                           for blob in solver.net.learnable_params]))
        solver.close()
    close(results[1][0], results[0][0])
    for mine, other in zip(results[1][1], results[0][1], strict=True):
        close(mine, other)
