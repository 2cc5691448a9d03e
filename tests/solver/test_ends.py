"""What ends a training early: patience and time; both leave a snapshot that resumes exactly."""
from __future__ import annotations

import io
import math
from pathlib import Path

import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import UsageError
from caffe_lrcn.proto.text import read_solver
from caffe_lrcn.solver import deadline
from caffe_lrcn.solver.console import Console
from caffe_lrcn.solver.deadline import Deadline, seconds
from caffe_lrcn.solver.report import Output
from caffe_lrcn.solver.scores import Scores, direction, find_patience
from caffe_lrcn.solver.signals import Action
from caffe_lrcn.solver.training import Start, Watch, resume_from, train

from .tiny import make_task


def scored(values, name="accuracy", most=32) -> Scores:
    scores = Scores(most)
    for iteration, value in enumerate(values):
        scores.write(iteration, "train", 0.1, 0.0, [Output(name, 0, 99)])
        scores.write(iteration, "test 0", 0.1, 0.0, [Output(name, 0, value)])
    return scores


def test_scores():
    (score,) = scored([0.1, 0.5, 0.4, 0.5]).table.values()
    assert (score.last, score.best, score.at, score.since) == (0.5, 0.5, 1, 2)
    (score,) = scored([3, 2, 2.5], "loss").table.values()
    assert (score.last, score.best, score.at, score.since) == (2.5, 2, 1, 1)
    nan = math.nan
    assert [s.since for s in scored([nan, nan, nan], "loss").table.values()] == [2]
    assert [(s.best, s.since) for s in scored([nan, 3, nan], "loss").table.values()] == [(3, 1)]
    again = Scores(32)
    again.restore(scored([0.1, 0.5, 0.4]).state())
    assert again.table == scored([0.1, 0.5, 0.4]).table
    assert not scored([1], most=0).table


@pytest.mark.parametrize(("name", "sign"), [
    ("accuracy", 1), ("acc/top5", 1), ("loss", -1), ("loss3/loss", -1), ("cross_entropy_loss", -1),
    ("top-1 error", -1), ("mAP", 1), ("fc8", 0)])
def test_direction(name, sign):
    assert direction(name) == sign


def test_find_patience():
    outputs = [("test 0", "fc8"), ("test 0", "loss"), ("test 1", "accuracy")]
    assert find_patience(2, None, outputs).name == "loss"
    found = find_patience(2, "accuracy", outputs)
    assert (found.net, found.sign) == ("test 1", 1)
    assert find_patience(2, "fc8:min", outputs).sign == -1
    assert str(found) == ("stops after 2 tests without a better accuracy of test 1 "
                          "(highest is best)")
    for monitor, some, message in (
            ("fc9", outputs, "wanted fc8, loss, accuracy"), ("fc8", outputs, "fc8:max or :min"),
            ("loss:best", outputs, "NAME:max"), (None, [], "needs a test net"),
            (None, outputs[:1], "--monitor fc8:max")):
        with pytest.raises(UsageError, match=message):
            find_patience(2, monitor, some)


@pytest.mark.parametrize(("text", "value"), [("90", 90), ("30m", 1800), ("1h30m", 5400),
                                             ("1.5h", 5400), ("2d", 172800), ("5s", 5)])
def test_times(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "0", "m", "1x", "-5", "1 h", "1m-"])
def test_no_times(text):
    with pytest.raises(UsageError, match="not a time"):
        seconds(text)


def run(folder: Path, *, start: str | None = None, actions=lambda: Action.NONE, watch=None,
        **fields):
    definition = read_solver(folder / "solver.prototxt")
    for name, value in fields.items():
        setattr(definition.param, name, value)
    begin = resume_from(start, definition) if start else Start(force=True)
    return train(definition, get_backend("cpu"), begin, actions, watch=watch)


def files(folder: Path) -> dict[str, bytes]:
    return {name: (folder / "out" / name).read_bytes()
            for name in ("tiny_log.csv", "tiny_iter_20.caffemodel", "tiny_iter_20.solverstate")}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make_task(tmp_path)
    return tmp_path


@pytest.fixture
def whole(folder) -> dict[str, bytes]:
    run(folder)
    return files(folder)


PATIENT = Watch(patience=1, monitor="accuracy")


def test_patience_stops_and_the_run_can_go_on(folder, whole):
    solver = run(folder, watch=PATIENT, snapshot=0, snapshot_after_train=False)
    assert solver.iter == 12 and solver.stopped_early
    assert "accuracy of test 1 has not improved in 1 test " in solver.why_stopped
    assert solver.last_snapshot == "out/tiny_iter_12.solverstate"
    # With the same patience it stops at the same test; without, it is the run without a break.
    assert run(folder, start="out/tiny_iter_12.solverstate", watch=PATIENT).iter == 12
    run(folder, watch=PATIENT)
    assert run(folder, start="out/tiny_iter_12.solverstate").iter == 20
    assert files(folder) == whole


@pytest.mark.parametrize("stop", [9, 11, 21])
def test_a_resumed_run_loses_patience_at_the_same_test(folder, stop):
    calls = []

    def actions():
        calls.append(None)
        return Action.STOP if len(calls) == stop else Action.NONE

    first = run(folder, actions=actions, watch=PATIENT)
    assert first.stopped_early and first.iter < 12
    assert run(folder, start="latest", watch=PATIENT).iter == 12


def test_a_snapshot_that_is_there_is_not_taken_again(folder):
    solver = run(folder, watch=PATIENT, snapshot=4)
    assert solver.iter == 12
    log = Path("out/tiny.log").read_text()
    assert log.count("Snapshotting to binary proto file out/tiny_iter_12.") == 1


def test_time_ends_a_run_with_a_snapshot(folder, whole, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(deadline.time, "monotonic", lambda: clock[0])

    def actions():
        clock[0] += 1
        return Action.NONE

    end = Deadline(13.5, actions)
    solver = run(folder, actions=end, watch=Watch(saves_at_the_end=True),
                 snapshot_after_train=False)
    assert end.passed and solver.stopped_early and solver.iter < 20
    assert solver.last_snapshot == f"out/tiny_iter_{solver.iter}.solverstate"
    run(folder, start="latest")
    assert files(folder) == whole


def test_a_short_console_has_a_line_for_the_beginning_each_test_and_the_end(folder):
    stream = io.StringIO()
    run(folder, watch=Watch(console=Console(stream, short=True)))
    lines = stream.getvalue().splitlines()
    assert lines[0] == ("Training tiny (tiny.prototxt: 9 layers, 777 parameters); "
                        "log in out/tiny.log")
    assert [" test " in line for line in lines[1:-1]] == [True] * 12
    assert lines[-1].startswith("Done at iteration 20 after 0:0")


def test_a_signal_comes_before_the_end_of_the_time():
    end = Deadline(0.0, lambda: Action.SNAPSHOT)
    assert end() is Action.SNAPSHOT and not end.passed
    assert Deadline(0.0, lambda: Action.NONE)() is Action.STOP
