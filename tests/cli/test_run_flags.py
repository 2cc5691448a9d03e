"""``caffe-lrcn train``: one run a prefix, folders of runs, and which snapshots stay."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from caffe_lrcn import glog
from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import SnapshotError
from caffe_lrcn.solver.lock import locked
from caffe_lrcn.solver.solver import Solver
from tests.solver.tiny import make_task

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _log_as_before():
    handlers, propagate = list(glog.logger.handlers), glog.logger.propagate
    yield
    glog.logger.handlers[:], glog.logger.propagate = handlers, propagate


@pytest.fixture
def task(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_task(tmp_path)


def train(task, *words: str, last: int = 10) -> int:
    return main(["train", "--solver", str(task), "--set", f"max_iter={last}", *words])


def taken(folder: str = "out", ending: str = ".solverstate") -> list[int]:
    return sorted(int(path.name[:-len(ending)].rpartition("_")[2])
                  for path in Path(folder).glob(f"*_iter_*{ending}"))


def test_a_second_run_does_not_overwrite_the_first(task, capsys):
    assert train(task) == 0
    before = Path("out/tiny_iter_10.caffemodel").read_bytes(), Path("out/tiny.log").read_bytes()
    assert train(task, "--set", "random_seed=5") == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert "tiny_iter_10.solverstate" in error and "--snapshot auto" in error
    assert before == (Path("out/tiny_iter_10.caffemodel").read_bytes(),
                      Path("out/tiny.log").read_bytes())
    assert train(task, "--set", "random_seed=5", "--force", last=5) == 0
    assert taken() == [5] and taken(ending=".resume") == [5]  # 'latest' is of this run
    assert train(task, "--force", "--snapshot", "auto") == 1


def test_auto_begins_and_goes_on(task, capsys):
    assert train(task, "--snapshot", "auto", last=5) == 0
    assert train(task, "--snapshot", "auto") == 0
    want = Path("out/tiny_iter_10.caffemodel").read_bytes()
    assert train(task, "--set", "snapshot_prefix=out/whole") == 0
    assert Path("out/whole_iter_10.caffemodel").read_bytes() == want
    for sidecar in Path("out").glob("tiny*.resume"):
        sidecar.write_bytes(b"")
    assert train(task, "--snapshot", "auto") == 1  # damaged ones are no reason to begin anew
    assert "no complete snapshot" in capsys.readouterr().err


def test_a_run_has_a_folder(task):
    arguments = ["--run", "first", "--set", "base_lr=0.05"]
    assert train(task, *arguments, "--snapshot", "auto", last=5) == 0
    assert train(task, *arguments, "--snapshot", "auto") == 0
    folder = Path("runs/first")
    (folder / f"net.prototxt.{2**22 + 1}.partial").touch()  # what a kill left
    assert train(task, *arguments, "--snapshot", "auto") == 0
    assert taken("runs/first") == [5, 10] and not Path("out").exists()
    assert "base_lr: 0.05" in (folder / "solver.prototxt").read_text()
    assert {path.name for path in folder.iterdir() if "_iter_" not in path.name} == {
        "solver.prototxt", "solver.prototxt.old", "net.prototxt",
        "first.log", "first_log.csv", "first.svg"}
    drawn = (folder / "first.svg").read_text(encoding="utf-8")
    assert main(["plot", "runs/first", "--out", "plot.svg"]) == 0
    assert drawn == Path("plot.svg").read_text(encoding="utf-8") and "mean_loss" in drawn
    want = (folder / "first_iter_10.caffemodel").read_bytes()
    # The definitions of the folder train the same.
    assert main(["train", "--solver", "runs/first/solver.prototxt", "--run", "second"]) == 0
    assert Path("runs/second/second_iter_10.caffemodel").read_bytes() == want
    assert train(task, *arguments) == 1


@pytest.mark.parametrize("name", ["a/b", "..", ""])
def test_a_run_has_a_name(task, name, capsys):
    assert train(task, "--run", name) == 1
    assert "--run takes the name" in capsys.readouterr().err


def start(folder: Path, *words: str) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "caffe_lrcn", "train", "--solver", "solver.prototxt", *words],
        cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def test_two_trainings_with_one_prefix(task, tmp_path, capsys):
    first = start(tmp_path, "--set", "max_iter=1000000", "--set", "snapshot=0", "--workers", "1")
    try:
        for _ in range(600):
            if (tmp_path / "out/tiny_log.csv").exists() or first.poll() is not None:
                break
            time.sleep(0.05)
        time.sleep(0.2)
        assert train(task) == 1
        error = capsys.readouterr().err
        assert "another training" in error and f"process {first.pid} on " in error
        first.kill()
        first.wait()
        assert train(task) == 0  # the lock ended with its process
        assert not Path("out/tiny.lock").exists()
    finally:
        first.kill()
        first.communicate()


def test_a_file_system_without_locks(task, monkeypatch, caplog):
    import fcntl

    def no_locks(*_):
        raise OSError(95, "Operation not supported")
    monkeypatch.setattr(fcntl, "flock", no_locks)
    with locked("out/x"):
        assert "has no locks" in caplog.text
        with pytest.raises(SnapshotError, match=f"process {os.getpid()} on"), locked("out/x"):
            pass
    Path("out/x.lock").write_text(f"{2**22 + 1} {os.uname().nodename}\n")
    with locked("out/x"):  # that process is gone
        pass


def test_the_last_snapshots_stay(task):
    assert train(task, "--set", "snapshot=2", "--keep", "2") == 0
    assert taken() == taken(ending=".resume") == taken(ending=".caffemodel") == [8, 10]


def test_what_a_kill_left_of_an_old_set_is_removed(task):
    assert train(task, "--set", "snapshot=2", last=6) == 0
    Path("out/tiny_iter_2.solverstate").unlink()
    Path("out/tiny_iter_2.caffemodel").rename("out/other_iter_2.caffemodel")
    Path("out/tiny_iter_4.resume").unlink()  # of Caffe, as it were: not ours to remove
    assert train(task, "--snapshot", "auto", "--set", "snapshot=2", "--keep", "1") == 0
    assert taken(ending=".resume") == [10] and taken() == [4, 10]


def test_a_set_is_removed_only_after_the_next_is_complete(task, monkeypatch):
    seen, original = [], os.remove

    def remove(path, *rest, **more):
        if str(path).endswith((".solverstate", ".caffemodel", ".resume")):
            seen.append((os.path.basename(path), taken()))
        original(path, *rest, **more)
    monkeypatch.setattr(os, "remove", remove)
    assert train(task, "--keep", "1") == 0
    assert [name for name, _ in seen] == [f"tiny_iter_5.{ending}" for ending in
                                          ("solverstate", "caffemodel", "resume")]
    assert seen[0][1] == [5, 10] and seen[1][1] == [10]


@pytest.mark.parametrize("call", [1, 2, 3, 6, 7])
def test_killed_inside_a_rotation(task, tmp_path, call):
    code = ("import os, signal, sys\nfrom caffe_lrcn.cli.main import main\n"
            "original, calls = os.remove, []\n"
            "def remove(path, *rest, **more):\n"
            "    if str(path).endswith(('.solverstate', '.caffemodel', '.resume')):\n"
            "        calls.append(path)\n"
            f"        if len(calls) == {call}: os.kill(os.getpid(), signal.SIGKILL)\n"
            "    original(path, *rest, **more)\n"
            "os.remove = remove\nsys.exit(main(sys.argv[1:]))\n")
    words = ["train", "--solver", "solver.prototxt", "--set", "max_iter=15", "--keep", "1",
             "--snapshot", "auto", "--workers", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    ended = subprocess.run([sys.executable, "-c", code, *words], cwd=tmp_path, env=environment,
                           capture_output=True)
    assert ended.returncode == (-signal.SIGKILL if call <= 6 else 0)
    assert main(words) == 0
    got = Path("out/tiny_iter_15.caffemodel").read_bytes()
    assert taken() == taken(ending=".resume") == taken(ending=".caffemodel") == [15]
    assert train(task, "--set", "snapshot_prefix=out/whole", last=15) == 0
    assert Path("out/whole_iter_15.caffemodel").read_bytes() == got


def test_the_best_snapshot_stays(task, monkeypatch):
    scores = {0: 9.0, 4: 1.0, 8: 2.0, 12: 0.5, 16: 3.0, 20: 4.0}
    original = Solver.write_row

    def write_row(self, net, loss, outputs):
        if net == "test 0":
            outputs = [replace(outputs[0], name="loss", value=scores[self.iter])]
        original(self, net, loss, outputs)
    monkeypatch.setattr(Solver, "write_row", write_row)
    arguments = ["--keep", "1", "--keep-best", "loss"]
    assert train(task, *arguments, last=20) == 0
    assert taken() == [12, 20]
    want = Path("out/tiny_log.csv").read_bytes()
    # From the best one the run goes on to the same end.
    assert train(task, *arguments, "--snapshot", "out/tiny_iter_12.solverstate", last=20) == 0
    assert Path("out/tiny_log.csv").read_bytes() == want and taken() == [12, 20]


def test_an_output_that_no_test_has(task, capsys):
    assert train(task, "--keep-best", "accuracies") == 1
    assert "--keep-best names no output" in capsys.readouterr().err
    assert train(task, "--keep-best", "accuracy:up") == 1


def test_weights_that_somebody_kept_are_not_overwritten(task, capsys):
    assert train(task, last=5) == 0
    for path in (*Path("out").glob("*.solverstate"), *Path("out").glob("*.resume")):
        path.unlink()
    kept = Path("out/tiny_iter_5.caffemodel").read_bytes()
    assert train(task, "--set", "random_seed=7", last=5) == 1
    assert "got tiny_iter_5.caffemodel" in capsys.readouterr().err
    assert Path("out/tiny_iter_5.caffemodel").read_bytes() == kept
    # A kill inside the first snapshot leaves such weights: a job script must get past them.
    assert train(task, "--snapshot", "auto", last=5) == 0


def test_a_set_that_a_kill_left_without_its_state_does_not_count(task):
    assert train(task, last=5) == 0
    Path("out/tiny_iter_5.solverstate").unlink()
    assert train(task, last=5) == 0


def test_auto_takes_weights_where_it_begins(task, capsys):
    assert train(task, "--set", "snapshot_prefix=out/first", last=1) == 0
    words = ["--snapshot", "auto", "--weights", "out/first_iter_1.caffemodel",
             "--rename", "nothing=else", "--verbose"]
    assert train(task, *words, last=5) == 1
    assert "the rename nothing=else fits nothing" in capsys.readouterr().err
    words = [word for word in words if word not in ("--rename", "nothing=else")]
    assert train(task, *words, last=5) == 0
    assert "Finetuning from out/first_iter_1.caffemodel" in capsys.readouterr().err
    assert train(task, *words, last=6) == 0
    assert "Finetuning from" not in capsys.readouterr().err
