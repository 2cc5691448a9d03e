"""``caffe-lrcn train`` and ``test``: flags, signals, and what a user may do wrong."""
from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest

from caffe_lrcn import glog
from caffe_lrcn.backends import MATH_MODES
from caffe_lrcn.cli import runtime
from caffe_lrcn.cli.main import main
from caffe_lrcn.cli.overrides import apply_overrides
from caffe_lrcn.errors import UsageError
from caffe_lrcn.proto.text import parse_solver
from caffe_lrcn.solver.signals import Action, SignalActions
from caffe_lrcn.solver.solver import Solver
from tests.solver.tiny import make_task

GOLDEN = Path(__file__).parents[1] / "golden" / "solvers"


@pytest.fixture(autouse=True)
def _log_as_before():
    handlers, propagate = list(glog.logger.handlers), glog.logger.propagate
    yield
    glog.logger.handlers[:], glog.logger.propagate = handlers, propagate


@pytest.fixture
def task(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_task(tmp_path)


def snapshots() -> list[str]:
    return sorted(name for name in os.listdir("out") if name.endswith(".solverstate"))


def test_train_stop_and_resume(task, capsys):
    assert main(["train", "-solver", str(task), "-set", "max_iter=10", "--verbose"]) == 0
    text = capsys.readouterr().err
    # CAFFE-QUIRK: said by the solver and by the program.
    assert text.count("Optimization Done.") == 2
    assert "Use CPU." in text and "Starting Optimization" in text
    assert main(["train", f"-solver={task}", "--snapshot", "latest", "-logtostderr"]) == 0
    text = capsys.readouterr().err
    assert "Resuming from out/tiny_iter_10.solverstate" in text
    assert "Iteration 20, loss = " not in text and "Iteration 18 (" in text
    assert snapshots() == [f"tiny_iter_{i}.solverstate" for i in (10, 15, 20, 5)]


def test_resume_takes_over_a_drawn_seed(task, capsys):
    unset = ["--solver", str(task), "--set", "random_seed=-1", "--verbose"]
    assert main(["train", *unset, "--set", "max_iter=5"]) == 0
    assert "Drew random_seed" in capsys.readouterr().err
    assert main(["train", *unset, "--snapshot", "out/tiny", "--set", "max_iter=6"]) == 0
    text = capsys.readouterr().err
    assert "Drew random_seed" not in text and "run with random_seed" not in text


def test_weights_replace_those_of_the_solver(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--solver", str(GOLDEN / "sgd_solver.prototxt"), "--cpu",
                 "--weights", "sgd_init.caffemodel", "--set", "weights=absent.caffemodel",
                 "--set", "max_iter=1", "--verbose"]) == 0
    text = capsys.readouterr().err
    assert text.count("Finetuning from") == 1 and "6 layers loaded" in text


def test_level_and_stage(task, capsys):
    task.write_text(task.read_text() + 'train_state { level: 5 }')
    net = task.with_name("tiny.prototxt")
    net.write_text(net.read_text().replace('name: "drop"', 'name: "drop" exclude { stage: "dry" '
                                           'min_level: 2 }'))
    arguments = ["train", "--solver", str(task), "--force", "--stage", " dry,"]
    for setting in ("max_iter=1", "debug_info=true", "test_initialization=false"):
        arguments += ["--set", setting]
    assert main([*arguments, "--level", "2"]) == 0
    text = capsys.readouterr().err
    assert "Layer fc, top" in text and "Layer drop, top" not in text
    # CAFFE-QUIRK: the level of the command line, 0 if not given, replaces the file's.
    assert main(arguments) == 0
    assert "Layer drop, top" in capsys.readouterr().err


def test_threads_and_workers_leave_the_result_alone(task, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # set by the program, put back by the fixture
    results = []
    for words in ([], ["--threads", "1", "--workers", "1"]):
        assert main(["train", "--solver", str(task), "--set", "max_iter=3", "--force",
                     *words]) == 0
        results.append(Path("out/tiny_log.csv").read_bytes())
    assert results[0] == results[1]


def test_math_and_strict_reach_the_nets(task, monkeypatch):
    seen = []
    monkeypatch.setattr(Solver, "solve", lambda solver, resume: seen.append(solver))
    for words in ([], ["--math", "bf16", "--strict"]):
        assert main(["train", "--solver", str(task), "--cpu", *words]) == 0
    assert [solver.backend.math for solver in seen] == ["fp32", "bf16"]
    nets = [[solver.net, *solver.test_nets] for solver in seen]
    assert [{net.settings.strict for net in group} for group in nets] == [{False}, {True}]


def test_the_modes_of_math_are_those_of_the_backend(task, capsys):
    assert runtime.MATH == MATH_MODES
    assert "tf32 needs a GPU" in run_error(
        ["train", "--solver", str(task), "--cpu", "--math", "tf32"], capsys)


def test_strict_refuses_what_the_reference_refuses(task, capsys):
    assert main(["train", "--solver", str(task), "--set", "max_iter=1"]) == 0
    net = Path("tiny.prototxt")
    net.write_text(net.read_text().replace('"xavier"', '"gaussian" std: 0'))
    words = ["test", "--model", str(net), "--weights", "out/tiny_iter_1.caffemodel",
             "--iterations", "1"]
    assert main(words) == 0
    assert "std" in run_error([*words, "--strict"], capsys)


def test_the_terminal_shows_facts_and_the_log_file_all_lines(task, capsys, monkeypatch):
    words = ["train", "--solver", str(task)]
    assert main(words) == 0
    shown = capsys.readouterr().err
    assert "]" not in shown and "\r" not in shown and "\x1b" not in shown
    assert len(shown.splitlines()) < 40
    for line in (r"  net +\S*tiny.prototxt: 9 layers, 777 parameters$",
                 r"  data +words.txt \(HDF5Data, 2 x 3\)$",
                 r"  test 1 +pictures.txt .*; words.txt .*; 3 batches$",
                 r" 8/20  test 1: accuracy [\d.]+, loss [\d.]+$",
                 r" 5/20  snapshot out/tiny_iter_5.solverstate$", "^Done at iteration 20 after 0:0",
                 r"  test 0 +loss [\d.]+ \(best [\d.]+ at \d+\)$", r"  log +out/tiny.log$"):
        assert re.search(line, shown, re.M), line
    log = Path("out/tiny.log").read_text()
    assert "Use CPU." in log and "Creating Layer fc" in log
    assert log.count("Optimization Done.") == 2 and "Iteration 18 (" in log
    main([*words, "--snapshot", "latest", "--minloglevel", "1"])
    assert capsys.readouterr().err == ""
    longer = Path("out/tiny.log").read_text()  # a resumed run goes on behind the former
    assert longer.startswith(log) and "Restoring previous solver status" in longer
    monkeypatch.setenv("GLOG_logtostderr", "1")  # as Caffe's scripts have it
    main([*words, "--force"])
    shown = capsys.readouterr().err
    assert shown == Path("out/tiny.log").read_text() and "Iteration 18 (" in shown
    assert Path("out/tiny.log.old").read_text() == longer


def test_warnings_stay_visible(task, capsys):
    assert main(["train", "--solver", str(task), "--stage", "unheard-of", "--set", "max_iter=1",
                 "--set", "snapshot=0", "--set", "base_lr=0"]) == 0
    assert re.search("^warning: .*base_lr is 0", capsys.readouterr().err, re.M)


def test_a_log_file_that_cannot_be_written(task, capsys):
    Path("out").write_text("a file")
    error = run_error(["train", "--solver", str(task)], capsys)
    assert "cannot be written" in error and "snapshot_prefix" in error


def run_error(words, capsys) -> str:
    assert main(words) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    return error


def test_errors(task, capsys):
    solver = ["train", "--solver", str(task)]
    assert "absent.prototxt" in run_error(["train", "--solver", "absent.prototxt"], capsys)
    assert "--weights" in run_error([*solver, "--snapshot", "x.caffemodel"], capsys)
    assert "no complete snapshot" in run_error([*solver, "--snapshot", "latest"], capsys)
    assert "Did you mean 'base_lr'" in run_error([*solver, "--set", "bas_lr=1"], capsys)
    assert "a number" in run_error([*solver, "--set", "base_lr=much"], capsys)
    assert "key=value" in run_error([*solver, "--set", "base_lr"], capsys)
    assert "snapshot_prefix" in run_error([*solver, "--set", f"snapshot_prefix={task}/x"], capsys)
    assert "one GPU" in run_error([*solver, "--gpu", "0,1"], capsys)
    Path("broken.prototxt").write_text('net: "tiny.prototxt"\nbase_lrr: 0.1\n')
    error = run_error(["train", "--solver", "broken.prototxt"], capsys)
    assert "broken.prototxt:2:1" in error and "base_lr" in error


def test_a_gpu_that_is_not_there(task, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    for words in (["--gpu", "0"], ["--set", "solver_mode=GPU"]):
        assert "--cpu" in run_error(["train", "--solver", str(task), *words], capsys)


def test_weights_and_snapshot_exclude_each_other(task, capsys):
    error = run_error(["train", "--solver", str(task), "--weights", "a", "--snapshot", "b"], capsys)
    assert "--weights and --snapshot exclude each other" in error


def interrupt_in(monkeypatch, method: str, numbers: list[int], times: int = 5) -> None:
    """Send signals to this process from the inside of a call of ``Solver.<method>``."""
    original, calls = getattr(Solver, method), []

    def interrupted(self, *args):
        calls.append(None)
        if len(calls) == times:
            for number in numbers:
                os.kill(os.getpid(), number)
                time.sleep(0.01)
        return original(self, *args)

    monkeypatch.setattr(Solver, method, interrupted)


def test_ctrl_c_finishes_the_iteration_and_saves(task, monkeypatch, capsys):
    before = signal.getsignal(signal.SIGINT)
    interrupt_in(monkeypatch, "apply_update", [signal.SIGINT], 8)
    assert main(["train", "--solver", str(task), "--cpu", "--strict", "--math=bf16",
                 "--set", "gamma=0.5", "--verbose"]) == 0
    assert snapshots() == ["tiny_iter_5.solverstate", "tiny_iter_8.solverstate"]
    captured = capsys.readouterr()
    assert "Optimization stopped early." in captured.err
    assert (f"caffe-lrcn train --solver {task} --snapshot out/tiny_iter_8.solverstate "
            "--set gamma=0.5 --math bf16 --cpu --strict --verbose") in captured.out
    assert signal.getsignal(signal.SIGINT) is before


def test_second_ctrl_c_aborts_at_once(task, monkeypatch, capsys):
    interrupt_in(monkeypatch, "apply_update", [signal.SIGINT, signal.SIGINT], 7)
    assert main(["train", "--solver", str(task)]) == 130
    assert snapshots() == ["tiny_iter_5.solverstate"]


def test_sighup_takes_a_snapshot_and_goes_on(task, monkeypatch):
    interrupt_in(monkeypatch, "apply_update", [signal.SIGHUP], 7)
    assert main(["train", "--solver", str(task), "--set", "max_iter=9"]) == 0
    assert snapshots() == [f"tiny_iter_{i}.solverstate" for i in (5, 7, 9)]


def test_effects_can_be_chosen(task, monkeypatch):
    interrupt_in(monkeypatch, "apply_update", [signal.SIGINT, signal.SIGHUP], 7)
    assert main(["train", "--solver", str(task), "--set", "max_iter=9", "--sigint_effect=snapshot",
                 "-sighup_effect", "none"]) == 0
    assert snapshots() == [f"tiny_iter_{i}.solverstate" for i in (5, 7, 9)]


def test_sighup_is_looked_at_first():
    with SignalActions() as actions:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGHUP)
        time.sleep(0.01)
        assert [actions(), actions(), actions()] == [Action.SNAPSHOT, Action.STOP, Action.NONE]


def test_test_command(capsys):
    weights = ",".join(str(GOLDEN / f"sgd_{part}.caffemodel") for part in ("init", "iter_6"))
    net = GOLDEN / "mini_lrcn.prototxt"
    words = ["test", "-model", str(net), "-weights", weights, "-iterations", "3", "--cpu"]
    assert main(words) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert main([*words, "--verbose"]) == 0
    text = capsys.readouterr().err
    for line in shown.out.splitlines():
        assert f"] {line}\n" in text
    assert "Loss: " in shown.out and "cross_entropy_loss = " in shown.out
    assert text.count("6 layers loaded") == 2
    batches = [float(x) for x in re.findall(r"Batch \d, cross_entropy_loss = ([\d.]+)", text)]
    loss = sum(batches) / 3
    assert len(batches) == 3 and "Batch 2, accuracy = " in text
    assert float(re.search(r"Loss: ([\d.]+)", text)[1]) == pytest.approx(5 * loss, rel=1e-4)
    shown = re.search(r"\] cross_entropy_loss = ([\d.]+) \(\* 5 = ([\d.]+) loss\)", text)
    assert [float(x) for x in shown.groups()] == pytest.approx([loss, 5 * loss], rel=1e-4)


def test_errors_of_the_flags(task, capsys):
    for flag, value, message in (("--workers", "-1", "must be 0 or more"),
                                 ("--workers", "x", "must be a number, not 'x'"),
                                 ("--threads", "0", "must be 1 or more")):
        with pytest.raises(SystemExit):
            main(["train", "--solver", str(task), flag, value])
        assert message in capsys.readouterr().err


def test_test_command_says_which_layers_have_no_weights(task, capsys):
    assert main(["train", "--solver", str(task), "--set", "max_iter=1"]) == 0
    net = Path("tiny.prototxt")
    net.write_text(net.read_text().replace('name: "predict"', 'name: "other"'))
    capsys.readouterr()
    assert main(["test", "--model", str(net), "--weights", "out/tiny_iter_1.caffemodel",
                 "--iterations", "1"]) == 0
    error = capsys.readouterr().err
    assert re.search(r"(?m)^warning: No file of weights names other:", error)
    assert "No file of weights names fc" not in error


def test_overflow_is_one_message(task, capsys, recwarn):
    assert "the loss became" in run_error(
        ["train", "--solver", str(task), "--set", "base_lr=1e38", "--set", "clip_gradients=-1"],
        capsys)
    assert not recwarn.list


def test_test_command_wants_iterations(capsys):
    assert "--iterations" in run_error(["test", "--model", "m", "--weights", "w", "--iterations",
                                        "0"], capsys)


def test_overrides(tmp_path):
    solver = parse_solver('base_lr: 1 stepvalue: 5 train_state { stage: "x" level: 2 }',
                          "nets/s.prototxt")
    apply_overrides(solver, ["base_lr=0.5", "stepvalue=10,20", "train_state.stage=a,b",
                             "net=my net.prototxt", "snapshot_format=HDF5",
                             'type="Adam"', f"snapshot_prefix={tmp_path}"])
    param = solver.param
    assert (param.base_lr, list(param.stepvalue), param.net, param.type) == (
        0.5, [10, 20], "my net.prototxt", "Adam")
    assert list(param.train_state.stage) == ["a", "b"] and param.train_state.level == 2
    assert param.snapshot_format == 0 and param.snapshot_prefix == str(tmp_path / "s")


def test_overrides_of_the_only_test_state():
    solver = parse_solver('test_state { stage: "x" level: 2 }')
    apply_overrides(solver, ["test_state.stage=a"])
    assert [(list(state.stage), state.level) for state in solver.param.test_state] == [(["a"], 2)]
    solver = parse_solver("")
    apply_overrides(solver, ["test_state.level=3"])
    assert [state.level for state in solver.param.test_state] == [3]
    with pytest.raises(UsageError, match="--set test_state.level=1: there are 2"):
        apply_overrides(parse_solver("test_state {} test_state {}"), ["test_state.level=1"])


@pytest.mark.parametrize("setting", ["base_lr=x", "=3", "nothing", "train_state.levle=1",
                                     "snapshot_format=TXT", "a.b=1", "net_param=x"])
def test_wrong_overrides(setting):
    with pytest.raises(UsageError, match="--set"):
        apply_overrides(parse_solver(""), [setting])
