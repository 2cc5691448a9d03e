"""Reading training logs: tables, seconds and charts."""
from __future__ import annotations

import csv
import logging
import math
import xml.etree.ElementTree as ElementTree

import pytest
from PIL import Image

from caffe_lrcn.caffe_tools.parse_log import parse_log
from caffe_lrcn.caffe_tools.plot_training_log import KINDS, shown_columns
from caffe_lrcn.glog import GlogFormatter
from caffe_lrcn.solver.report import Output, output_lines
from tests.caffe_tools.scripts import run

PREFIX = ("{year}1231 23:59:50.000000", "{year}1231 23:59:52.500000",
          "{next}0101 00:00:00.250000", "{next}0101 00:00:20.000000")
TEXT = """a line without a prefix, Iteration 7
I{0}    77 solver.cpp:48] Solving LeNet
I{0}    77 solver.cpp:330] Iteration 0, Testing net (#0)
I{1}    77 solver.cpp:397]     Test net output #0: accuracy = 0.125
I{1}    77 solver.cpp:397]     Test net output #1: loss = 2.5 (* 1 = 2.5 loss)
I{2}    77 solver.cpp:218] Iteration 0 (0 iter/s, 1s/100 iters), loss = 2.4
I{2}    77 solver.cpp:237]     Train net output #0: loss = nan (* 1 = nan loss)
I{2}    77 sgd_solver.cpp:105] Iteration 0, lr = 0.01
I{3}    77 solver.cpp:218] Iteration 100, loss = 1.2
I{3}    77 solver.cpp:237]     Train net output #0: loss = 1.25e-05 (* 1 = 1.2 loss)
I{3}    77 sgd_solver.cpp:105] Iteration 100, lr = 0.005
I{3}    77 solver.cpp:330] Iteration 200, Testing net (#0)
I{3}    77 solver.cpp:397]     Test net output #0: accuracy = 0.9
I{3}    77 solver.cpp:397]     Test net output #1: loss = 0.25 (* 1 = 0.25 loss)
"""


@pytest.fixture(params=["", "2023"], ids=["without-year", "with-year"])
def log(request, tmp_path):
    """A log over New Year, in the old and in the new form of glog's prefix."""
    following = str(int(request.param) + 1) if request.param else ""
    path = tmp_path / "run.log"
    path.write_text(TEXT.format(*(prefix.format(year=request.param, next=following)
                                  for prefix in PREFIX)))
    return path


def written(tmp_path, text):
    path = tmp_path / "run.log"
    path.write_text("".join(f"I0102 03:04:{second:02d}.000000 1 solver.cpp:1] {line}\n"
                            for second, line in enumerate(text)))
    return path


def test_tables(log, tmp_path, capsys):
    assert run("parse_log", log, tmp_path, "--verbose") == 0
    assert capsys.readouterr().out.split() == [
        "Wrote", f"{tmp_path}/run.log.train", "Wrote", f"{tmp_path}/run.log.test"]
    with open(tmp_path / "run.log.train", newline="") as file:
        assert list(csv.reader(file)) == [["NumIters", "Seconds", "LearningRate", "loss"],
                                          ["0.0", "10.25", "0.01", "nan"],
                                          ["100.0", "30.0", "0.01", "1.25e-05"]]
    with open(tmp_path / "run.log.test", newline="") as file:
        assert list(csv.reader(file)) == [
            ["NumIters", "Seconds", "LearningRate", "accuracy", "loss"],
            ["0.0", "2.5", "0.005", "0.125", "2.5"], ["200.0", "30.0", "0.005", "0.9", "0.25"]]


def test_another_delimiter(log, tmp_path):
    assert run("parse_log", log, tmp_path, "--delimiter", ";") == 0
    assert "NumIters;Seconds;" in (tmp_path / "run.log.test").read_text()


def test_delimiter_of_two_characters(log, tmp_path, capsys):
    assert run("parse_log", log, tmp_path, "--delimiter", "ab") == 1
    assert "one character" in capsys.readouterr().err


def test_a_lone_row_is_written(tmp_path):
    path = written(tmp_path, ["Solving x", "Iteration 5, loss = 1",
                              "    Train net output #0: loss = 1"])
    tables = parse_log(str(path))
    assert [(row["NumIters"], row["loss"]) for row in tables.train] == [(5, 1)]
    assert math.isnan(tables.train[0]["LearningRate"])
    assert tables.test == []


def test_rows_with_other_outputs_than_the_first_are_kept(tmp_path):
    path = written(tmp_path, ["Solving x", "Iteration 0", "    Train net output #0: a = 1",
                              "Iteration 1", "    Train net output #0: a = 2",
                              "    Train net output #1: b = 3"])
    assert run("parse_log", path, tmp_path) == 0
    rows = (tmp_path / "run.log.train").read_text().split()
    assert [row.split(",")[3:] for row in rows] == [["a", "b"], ["1.0", ""], ["2.0", "3.0"]]


def test_each_test_net_has_rows_of_its_own(tmp_path):
    path = written(tmp_path, ["Solving x"] + [
        line for net, value in enumerate((0.5, 0.75)) for line in
        (f"Iteration 0, Testing net (#{net})", f"    Test net output #0: accuracy = {value}")])
    assert [row["accuracy"] for row in parse_log(str(path)).test] == [0.5, 0.75]


def test_our_own_logs_have_tables(tmp_path):
    outputs = [Output(name="loss", value=0.5, weight=1.0)]
    messages = ["Solving net", "Iteration 3, loss = 0.5", *output_lines("Train", outputs)]
    records = [logging.LogRecord("caffe_lrcn", logging.INFO, "solver.py", 1, message, (), None)
               for message in messages]
    (tmp_path / "own.log").write_text(
        "\n".join(GlogFormatter().format(record) for record in records))
    assert parse_log(str(tmp_path / "own.log")).train[0]["loss"] == 0.5


@pytest.mark.parametrize("text", ["", "I0102 03:04:05.000000 1 a.cpp:1] Iteration 3\n", "junk\n"])
def test_a_log_that_does_not_say_when_training_started(tmp_path, capsys, text):
    (tmp_path / "run.log").write_text(text)
    assert run("parse_log", tmp_path / "run.log", tmp_path) == 1
    assert "does not say when training started" in capsys.readouterr().err


def test_seconds(log, tmp_path):
    assert run("extract_seconds", log, tmp_path / "out") == 0
    assert (tmp_path / "out").read_text().split() == [
        "0.000000", "10.250000", "10.250000", "30.000000", "30.000000", "30.000000"]


def test_a_clock_that_was_set_back_a_little_starts_no_year(tmp_path):
    (tmp_path / "run.log").write_text("I0301 00:00:01.000000 1 a:1] Solving x\n"
                                      "I0228 23:59:59.000000 1 a:1] Iteration 0\n")
    assert run("extract_seconds", tmp_path / "run.log", tmp_path / "out") == 0
    assert -2 * 86400 < float((tmp_path / "out").read_text()) < 0


# -- charts --------------------------------------------------------------------------------


def test_kinds_are_those_of_caffe_in_its_order():
    assert [kind.name for kind in KINDS] == [
        "Test accuracy vs. Iters", "Test accuracy vs. Seconds", "Test loss vs. Iters",
        "Test loss vs. Seconds", "Train learning rate vs. Iters",
        "Train learning rate vs. Seconds", "Train loss vs. Iters", "Train loss vs. Seconds"]


@pytest.mark.parametrize("kind", range(8))
def test_every_chart_is_drawn(kind, log, tmp_path):
    assert run("plot_training_log", kind, tmp_path / "c.svg", log) == 0
    words = [text.text for text in ElementTree.parse(tmp_path / "c.svg").iter()
             if text.tag.endswith("text")]
    assert KINDS[kind].name in words
    assert ("Iterations" if "Iters" in KINDS[kind].name else "Seconds") in words


def test_a_chart_of_two_logs_names_both(log, tmp_path):
    other = tmp_path / "other.log"
    other.write_text(log.read_text())
    assert run("plot_training_log", 0, tmp_path / "c.svg", log, other) == 0
    drawn = (tmp_path / "c.svg").read_text()
    assert ">run</text>" in drawn and ">other</text>" in drawn


def test_a_picture_shows_the_curve(log, tmp_path):
    assert run("plot_training_log", 2, tmp_path / "c.png", log) == 0
    with Image.open(tmp_path / "c.png") as picture:
        colours = {colour for _, colour in picture.getcolors(1 << 20)}
    assert (0x1F, 0x77, 0xB4) in colours


def test_loss_charts_take_errors_where_nothing_is_called_loss():
    assert shown_columns([{"Seconds": 1, "l2_error": 2}], "loss") == ["l2_error"]
    assert shown_columns([{"cross_entropy_loss": 1, "l2_error": 2}], "loss") == [
        "cross_entropy_loss"]


@pytest.mark.parametrize(("kind", "target", "name", "told"), [
    (8, "c.svg", "run.log", "there is no such chart"),
    (0, "c.nothing", "run.log", "unknown format of a drawing (got nothing"),
    (0, "c.svg", "run.txt", "ends in .log"),
    (0, "run.log/c.svg", "run.log", "run.log/c.svg: the drawing cannot be written"),
])
def test_wrong_requests(tmp_path, capsys, kind, target, name, told):
    path = written(tmp_path, ["Solving x", "Iteration 0", "    Test net output #0: accuracy = 1"])
    path = path.rename(tmp_path / name)
    assert run("plot_training_log", kind, tmp_path / target, path) == 1
    assert told in capsys.readouterr().err


def test_a_log_without_what_the_chart_shows(tmp_path, capsys):
    path = written(tmp_path, ["Solving x", "Iteration 0", "    Test net output #0: top = 1"])
    assert run("plot_training_log", 0, tmp_path / "c.svg", path) == 1
    assert "an output whose name has 'accuracy'" in capsys.readouterr().err
