"""Log lines as Caffe's parsers read them, the loss window, the CSV log, the progress line."""
from __future__ import annotations

import fcntl
import io
import os
import re
import struct
import termios
from pathlib import Path

import h5py
import pytest

from caffe_lrcn import glog
from caffe_lrcn.errors import SnapshotError, UsageError
from caffe_lrcn.proto.text import read_solver
from caffe_lrcn.solver.csv_log import CsvLog, Mark
from caffe_lrcn.solver.loss_window import LossWindow
from caffe_lrcn.solver.progress import ProgressLine, fitting, progress_text
from caffe_lrcn.solver.report import MeanOutputs, Output, output_lines
from caffe_lrcn.solver.solver import Solver

from .tiny import make_task

# The patterns that Caffe's parse_log.py looks for, and its reading of a date.
ITERATION = re.compile(r"Iteration (\d+)")
TRAIN_OUTPUT = re.compile(r"Train net output #(\d+): (\S+) = ([\.\deE+-]+)")
TEST_OUTPUT = re.compile(r"Test net output #(\d+): (\S+) = ([\.\deE+-]+)")
RATE = re.compile(r"lr = ([-+]?[0-9]*\.?[0-9]+([eE]?[-+]?[0-9]+)?)")
PREFIX = re.compile(r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ \w+\.py:\d+\] ")
# A line of the definitions, which are logged as they are used.
DEFINITION = re.compile(r" *(\w+: .*|\w+ \{|\})|")


@pytest.fixture
def logged():
    """Everything that is logged, in a stream."""
    kept, propagate = list(glog.logger.handlers), glog.logger.propagate
    stream = io.StringIO()
    glog.start(stream=stream)
    yield stream
    glog.logger.handlers[:], glog.logger.propagate = kept, propagate


def test_a_run_can_be_parsed(tmp_path, monkeypatch, logged):
    monkeypatch.chdir(tmp_path)
    definition = read_solver(make_task(tmp_path))
    definition.param.test_compute_loss = True
    solver = Solver(definition)
    solver.solve()
    solver.close()
    lines = logged.getvalue().splitlines()
    assert all(PREFIX.match(line) or DEFINITION.fullmatch(line) for line in lines)
    assert lines[0].endswith("Initializing solver from parameters: ")
    assert any("Solving tiny" in line for line in lines)
    assert any("Learning Rate Policy: multistep" in line for line in lines)
    assert {int(ITERATION.search(line)[1]) for line in lines if "lr = " in line} == set(
        range(0, 20, 3))
    found = [TRAIN_OUTPUT.search(line).groups() for line in lines if "Train net output" in line]
    assert len(found) == 7 and {(number, name) for number, name, _ in found} == {("0", "loss")}
    assert {m[2] for m in map(TEST_OUTPUT.search, lines) if m} == {"accuracy", "loss"}
    assert [float(m[1]) for m in map(RATE.search, lines) if m] == pytest.approx(
        [0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025])
    text = logged.getvalue()
    assert re.search(r"Iteration 3 \([\d.e+-]+ iter/s, [\d.e+-]+s/3 iters\), loss = \d", text)
    assert "Iteration 0 (0 iter/s, " in text
    assert "MultiStep Status: Iteration 7, step = 1" in text
    assert "Iteration 4, Testing net (#1)" in text and "Test loss: " in text
    assert re.search(r"    Test net output #1: loss = [\d.]+ \(\* 1 = [\d.]+ loss\)", text)
    assert "Snapshotting to binary proto file out/tiny_iter_5.caffemodel" in text
    assert "Snapshotting solver state to binary proto file out/tiny_iter_5.solverstate" in text
    assert lines[-1].endswith("Optimization Done.")


def test_debug_info(tmp_path, monkeypatch, logged):
    monkeypatch.chdir(tmp_path)
    definition = read_solver(make_task(tmp_path))
    del definition.param.test_iter[:], definition.param.test_state[:]
    definition.param.debug_info, definition.param.iter_size = True, 1
    solver = Solver(definition)
    solver.step(3)
    solver.close()
    text = logged.getvalue()
    number = r"[\d.e+-]+"
    for pattern in (rf"\[Forward\] Layer fc, top blob fc data: {number}",
                    rf"\[Forward\] Layer fc, param blob 1 data: {number}",
                    rf"\[Backward\] Layer predict, bottom blob lstm diff: {number}",
                    rf"\[Backward\] Layer predict, param blob 0 diff: {number}"):
        assert len(re.findall(r"    " + pattern + "$", text, re.M)) == 1, pattern
    # CAFFE-QUIRK: the summary has the severity of an error.
    assert len(re.findall(rf"^E.*    \[Backward\] All net params \(data, diff\): L1 norm = "
                          rf"\({number}, {number}\); L2 norm = \({number}, {number}\)$", text,
                          re.M)) == 1
    assert "bottom blob data diff" not in text  # pictures get no gradient


def test_debug_info_shows_mean_magnitudes(tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO", "caffe_lrcn")
    monkeypatch.chdir(tmp_path)
    definition = read_solver(make_task(tmp_path))
    del definition.param.test_iter[:], definition.param.test_state[:]
    solver = Solver(definition)
    weights = solver.net.params["predict"][0].host_data
    weights[...] = -0.25
    solver.param.debug_info, solver.param.iter_size = True, 1
    solver.step(1)
    solver.close()
    assert "Layer predict, param blob 0 data: 0.25" in caplog.text


def test_log_start_checks_its_arguments(tmp_path, logged):
    with pytest.raises(UsageError, match="log level"):
        glog.start(min_level=7)
    with pytest.raises(UsageError, match="cannot be written"):
        glog.start(log_dir=str(tmp_path / "absent"))
    glog.start(min_level=1, log_dir=str(tmp_path), stream=logged)
    glog.info("quiet")
    glog.warning("loud")
    text = next(tmp_path.glob("caffe-lrcn.INFO.*")).read_text()
    assert "loud" in text and "loud" in logged.getvalue()
    assert "quiet" not in logged.getvalue()
    glog.start(stream=logged)  # closes the file


def test_output_lines():
    lines = output_lines("Train", [Output("a", 0, 0.5), Output("b", 5, 2e-6)])
    assert lines == ["    Train net output #0: a = 0.5",
                     "    Train net output #1: b = 2e-06 (* 5 = 1e-05 loss)"]


def test_mean_outputs():
    means = MeanOutputs()
    means.add([Output("a", 1, 1), Output("a", 1, 2)], 3.0)
    means.add([Output("a", 1, 3), Output("a", 1, 6)], 5.0)
    assert [output.value for output in means.outputs] == [2, 4] and means.loss == 4


def test_loss_window():
    window, seen = LossWindow(3), []
    for loss in (3, 5, 1, 9, 8):
        window.add(loss)
        seen.append(window.mean)
    assert seen == pytest.approx([3, 4, 3, 5, 6])
    other = LossWindow(3)
    assert other.restore(window.state())
    for each in (window, other):
        each.add(2.5)
    assert other.mean == window.mean
    assert not LossWindow(2).restore(window.state())


def write_rows(table: CsvLog, iterations) -> None:
    for i in iterations:
        table.write(i, "train", 0.1, i / 3, [Output("x", 0, i / 7), Output("y", 0, 1),
                                             Output("y", 0, 2)])


def make_csv(path: Path) -> CsvLog:
    return CsvLog(str(path), [("x", 1), ("y", 2), ("labels", 1000)])


def test_csv_is_cut_and_continued(tmp_path):
    whole, table = make_csv(tmp_path / "whole.csv"), make_csv(tmp_path / "cut.csv")
    write_rows(whole, range(6))
    whole.close()
    write_rows(table, range(3))
    mark = table.position
    write_rows(table, range(3, 5))
    table.close()
    again = make_csv(tmp_path / "cut.csv")
    again.cut(mark)
    write_rows(again, range(3, 6))
    again.close()
    text = (tmp_path / "cut.csv").read_bytes()
    assert text == (tmp_path / "whole.csv").read_bytes()
    assert text.startswith(b"iteration,net,lr,mean_loss,x,y[0],y[1]\n0,train,0.1,0.0,0.0,1.0,2.0\n")


@pytest.mark.parametrize("change", [lambda text: text[:20], lambda text: b"x" + text[1:]])
def test_csv_of_another_run_is_kept_aside(tmp_path, caplog, change):
    table = make_csv(tmp_path / "log.csv")
    write_rows(table, range(3))
    mark = table.position
    table.close()
    changed = change((tmp_path / "log.csv").read_bytes())
    (tmp_path / "log.csv").write_bytes(changed)
    table = make_csv(tmp_path / "log.csv")
    table.cut(mark)
    assert "not the log of the run" in caplog.text
    write_rows(table, [9])
    table.close()
    assert (tmp_path / "log.csv.old").read_bytes() == changed
    assert (tmp_path / "log.csv").read_bytes().count(b"\n") == 2


def test_a_csv_that_is_not_there_is_no_cause_for_a_warning(tmp_path, caplog):
    table = make_csv(tmp_path / "log.csv")
    table.cut(Mark(100, 5))
    assert caplog.text == ""


def test_csv_that_cannot_be_written(tmp_path):
    table = make_csv(tmp_path / "absent" / "log.csv")
    with pytest.raises(SnapshotError, match="cannot be written"):
        write_rows(table, [0])
    table.cut(Mark(5, 5))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_line():
    assert progress_text([(0.0, 10, 1.0), (5.0, 20, 1.46912)], 3620, 0.01) == (
        "20/3620 (1%)  left 30:00  loss 1.235  2.0 it/s  lr 0.01")
    assert progress_text([(0.0, 10, 1.0)], 20, 0.01) == (
        "10/20 (50%)  left ?  loss 1  ? it/s  lr 0.01")
    assert progress_text([(0.0, 0, 1.0), (1.0, 1, 1.0)], 7201, None) == (
        "1/7201 (0%)  left 2:00:00  loss 1  1.0 it/s")
    assert "  0.25 it/s" in progress_text([(0.0, 0, 1.0), (4.0, 1, 1.0)], 10, 1)
    for stream, silent in ((Terminal(), False), (io.StringIO(), True)):
        line = ProgressLine(stream, 100)
        line.show(1, 0.5, 0.1)
        line.close()
        assert (stream.getvalue() == "") == silent


@pytest.mark.parametrize(("columns", "text"), [
    (80, "20/3620  2.0 it/s  loss 1.235"), (30, "20/3620  2.0 it/s  loss 1.235"),
    (29, "20/3620  2.0 it/s"), (10, "20/3620"), (5, "20/3"), (1, ""), (0, "")])
def test_progress_line_never_wraps(columns, text):
    assert fitting("20/3620  2.0 it/s  loss 1.235", columns) == text


def test_progress_line_asks_its_own_terminal():
    leader, follower = os.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("4H", 24, 20, 0, 0))
    with open(follower, "w") as terminal:
        ProgressLine(terminal, 100).show(1, 0.5, 0.1)
        assert os.read(leader, 100) == b"\r\x1b[K1/100 (1%)  left ?"[:23]
    os.close(leader)


def test_plain_progress_lines(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    stream = io.StringIO()
    line = ProgressLine(stream, 1000, plain=True)
    for i in range(1001):
        if line.is_due():
            line.show(i, 0.5, 0.1)
        clock[0] += 1.0
    line.close()
    lines = stream.getvalue().splitlines()
    assert 9 <= len(lines) <= 11 and "\r" not in stream.getvalue()
    assert lines[1].startswith("200/1000 (20%)  left 13:2")


def test_a_dumb_terminal_gets_plain_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    line = ProgressLine(stream, 100)
    assert not line.is_due()
    handler = glog.ConsoleHandler(stream)
    handler.handle(glog.logger.makeRecord("x", 20, "a.py", 3, "hello", (), None))
    assert stream.getvalue().startswith("I")


def test_the_log_file_of_an_inner_training_is_its_own(tmp_path):
    with glog.into_file(str(tmp_path / "a" / "outer.log"), anew=True):
        glog.info("first")
        with glog.into_file(str(tmp_path / "inner.log"), anew=True):
            glog.info("second")
        glog.info("third")
    lines = (tmp_path / "a" / "outer.log").read_text().splitlines()
    assert [line.split("] ")[1] for line in lines] == ["first", "third"]
    assert "second" in (tmp_path / "inner.log").read_text()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_ends_a_training_at_the_log(tmp_path):
    (tmp_path / "run.log").symlink_to("/dev/full")
    with (pytest.raises(SnapshotError, match="the log file cannot be written: No space"),
          glog.into_file(str(tmp_path / "run.log"), anew=False)):
        glog.info("line")


def test_a_log_line_erases_the_progress_line():
    stream = Terminal()
    handler = glog.ConsoleHandler(stream)
    handler.handle(glog.logger.makeRecord("x", 20, "a.py", 3, "hello", (), None))
    assert stream.getvalue().startswith("\r\x1b[KI") and stream.getvalue().endswith("hello\n")


@pytest.mark.parametrize("value, said", [(1, True), (0, False), (None, False)])
def test_data_in_which_no_sequence_begins(tmp_path, monkeypatch, caplog, value, said):
    monkeypatch.chdir(tmp_path)
    task = make_task(tmp_path)
    for part in ("words0.h5", "words1.h5") if value is not None else ():
        with h5py.File(part, "r+") as file:
            file["cont"][...] = value
    solver = Solver(read_solver(task))
    solver.step(2)
    assert caplog.text.count("layer 'lstm': cont is 1 at every step of the first iteration") == said
    solver.step(1)
    path = solver.snapshot()
    solver.close()
    caplog.clear()
    resumed = Solver(read_solver(task))
    resumed.restore(path)
    resumed.step(1)  # may go on in the middle of a sequence
    assert "no sequence begins" not in caplog.text
    resumed.close()
