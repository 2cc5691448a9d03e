"""N iterations, a stop, and M more leave the same bits as N + M iterations at once."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.layer_types.base import Settings
from caffe_lrcn.proto.text import read_solver
from caffe_lrcn.solver.resume_file import read_resume_file
from caffe_lrcn.solver.signals import Action
from caffe_lrcn.solver.solver import Solver

from .tiny import make_task


@pytest.fixture
def task(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_task(tmp_path)


def make_solver(task: Path, *, prefix: str = "out/tiny", workers: int = 0, **fields) -> Solver:
    definition = read_solver(task)
    definition.param.snapshot_prefix = prefix
    for name, value in fields.items():
        setattr(definition.param, name, value)
    return Solver(definition, settings=Settings(workers=workers))


def final(solver: Solver) -> dict:
    """Everything that must agree in the end."""
    csv = Path(solver.csv.path)
    return {"params": [blob.host_data.copy() for blob in solver.net.learnable_params],
            "history": [blob.host_data.copy() for blob in solver.history],
            "losses": solver.losses.state(), "step": solver.current_step, "iter": solver.iter,
            "csv": csv.read_bytes() if csv.exists() else b"",
            "cursors": [net.state() for net in (solver.net, *solver.test_nets)]}


def run(solver: Solver, resume: str | None = None) -> dict:
    solver.solve(resume)
    result = final(solver)
    solver.close()
    return result


def check_same(got: dict, want: dict) -> None:
    assert got["csv"] == want["csv"]
    np.testing.assert_equal(got, want)


@pytest.mark.parametrize("stop", [5, 10, 13, 16])
def test_stop_and_resume(task, stop):
    whole = run(make_solver(task, prefix="out/whole"))
    run(make_solver(task, max_iter=stop))
    got = run(make_solver(task), "latest")
    check_same(got, whole)
    assert whole["csv"].count(b"test 1") == 6 and whole["csv"].count(b"train") == 7


@pytest.mark.parametrize("workers", [(0, 2), (2, 0)])
def test_resume_with_other_workers(task, workers):
    whole = run(make_solver(task, prefix="out/whole"))
    run(make_solver(task, max_iter=10, workers=workers[0]))
    check_same(run(make_solver(task, workers=workers[1]), "out/tiny_iter_10.solverstate"), whole)


def test_resume_in_hdf5_and_with_adam(task):
    fields = {"type": "Adam", "base_lr": 0.01, "snapshot_format": 0}
    whole = run(make_solver(task, prefix="out/whole", **fields))
    run(make_solver(task, max_iter=10, **fields))
    check_same(run(make_solver(task, **fields), "out/tiny_iter_10.solverstate.h5"), whole)


def test_step_after_restore_keeps_the_loss_window(task):
    whole = make_solver(task, prefix="out/whole")
    whole.step(20)
    half = make_solver(task)
    half.step(10)
    half.close()
    resumed = make_solver(task)
    resumed.restore("out/tiny_iter_10.solverstate")
    resumed.step(10)
    check_same(final(resumed), final(whole))
    whole.close()
    resumed.close()


@pytest.mark.parametrize("call", range(1, 26, 3))
def test_stop_at_any_question(task, call):
    """Stopping between iterations or between the passes of a test changes nothing either."""
    whole = run(make_solver(task, prefix="out/whole"))
    solver = make_solver(task)
    questions = iter(range(1, 10_000))
    solver.next_action = lambda: Action.STOP if next(questions) == call else Action.NONE
    run(solver)
    assert solver.stopped_early
    check_same(run(make_solver(task), solver.last_snapshot), whole)


@pytest.mark.parametrize("call", [2, 4, 12, 14, 15])
def test_snapshot_at_any_question(task, call):
    """A snapshot in the middle of a test resumes with that test done from its start."""
    whole = run(make_solver(task, prefix="out/whole"))
    solver = make_solver(task, snapshot=1000)
    questions, taken = iter(range(1, 10_000)), []

    def ask() -> Action:
        number = next(questions)
        if number == call + 1:
            taken.append(solver.last_snapshot)
        return Action.SNAPSHOT if number == call else Action.NONE

    solver.next_action = ask
    check_same(run(solver), whole)
    check_same(run(make_solver(task, snapshot=1000), taken[0]), whole)


def test_a_drawn_seed_is_kept(task):
    solver = make_solver(task, random_seed=-1, max_iter=5)
    run(solver)
    assert read_resume_file("out/tiny_iter_5.resume").seed == solver.seed
    again = make_solver(task, random_seed=-1, max_iter=5)
    assert again.seed != solver.seed
    again.close()


def test_another_seed_is_told(task, caplog):
    run(make_solver(task, max_iter=5))
    solver = make_solver(task, random_seed=12)
    solver.restore("latest")
    assert "random_seed 11" in caplog.text
    solver.close()


def test_other_arithmetic_is_told(task, caplog):
    run(make_solver(task, max_iter=5))
    definition = read_solver(task)
    solver = Solver(definition, backend=get_backend("cpu", math="bf16"),
                    settings=Settings(strict=True))
    solver.restore("latest")
    solver.close()
    assert "with --math fp32, this one has bf16" in caplog.text
    assert "with --strict False, this one has True" in caplog.text
    assert "with type" not in caplog.text and "with backend" not in caplog.text


@pytest.mark.parametrize("forget", ["train", "tests", "losses", "csv"])
def test_the_check_notices_what_is_forgotten(task, monkeypatch, forget):
    """Each part of the sidecar matters: leaving one out makes the comparison fail."""
    whole = run(make_solver(task, prefix="out/whole"))
    run(make_solver(task, max_iter=10))
    import caffe_lrcn.solver.snapshot as module

    def forgetful(path):
        resume = read_resume_file(path)
        nothing = {"train": {}, "tests": [{}, {}], "csv": None,
                   "losses": {"losses": [], "next": 0, "mean": 0.0}}
        setattr(resume, forget, nothing[forget])
        return resume

    monkeypatch.setattr(module, "read_resume_file", forgetful)
    got = run(make_solver(task), "latest")
    with pytest.raises(AssertionError):
        check_same(got, whole)
