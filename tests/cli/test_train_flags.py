"""Flags of ``train``: early ends, fine-tuning, and what a stopped run says to go on with."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.net.weights import LoadReport
from tests.solver.tiny import make_task


@pytest.fixture
def task(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_task(tmp_path)


def run_error(words, capsys) -> str:
    assert main(words) == 1
    return capsys.readouterr().err.splitlines()[-1]


def test_patience(task, capsys):
    words = ["train", "--solver", str(task), "--cpu", "--patience", "1", "--monitor", "accuracy"]
    assert main(words) == 0
    shown = capsys.readouterr()
    assert re.search(r"^  patience +stops after 1 test without a better accuracy of test 1 "
                     r"\(highest is best\)$", shown.err, re.M)
    assert re.search(r"^  reason +accuracy of test 1 has not improved in 1 test \(best", shown.err,
                     re.M)
    assert "--snapshot out/tiny_iter_12.solverstate --patience 1 --monitor accuracy" in shown.out


def test_the_end_of_the_time_has_an_exit_code(task, capsys):
    words = ["train", "--solver", str(task), "--set", "snapshot_after_train=false",
             "--set", "test_initialization=false"]
    assert main([*words, "--max-time", "0.001s"]) == 3
    shown = capsys.readouterr().out
    assert "--snapshot out/tiny_iter_1.solverstate" in shown and "--max-time 0.001s" in shown
    assert main([*words, "--max-time", "1h", "--force"]) == 0


def test_wrong_flags(task, capsys):
    words = ["train", "--solver", str(task)]
    for flags, message in ((["--patience", "0"], "1 or more"),
                           (["--monitor", "loss"], "--patience"),
                           (["--max-time", "soon"], "not a time"),
                           (["--rename", "a=b"], "there are none"),
                           (["--rename", "a=b", "--snapshot", "x"], "brings its own"),
                           (["--freeze", "conv*"], "fc, embed, lstm, predict"),
                           (["--patience", "2", "--monitor", "acc"], "wanted loss, accuracy")):
        assert message in run_error([*words, *flags], capsys), flags
    assert not list(Path("out").glob("*.solverstate"))


def test_fine_tuning(task, capsys):
    assert main(["train", "--solver", str(task), "--set", "max_iter=5"]) == 0
    net = Path("tiny.prototxt")
    net.write_text(net.read_text().replace('name: "fc"', 'name: "fc_new"').replace(
        "num_output: 7", "num_output: 8"))
    words = ["train", "--solver", str(task), "--weights", "out/tiny_iter_5.caffemodel",
             "--set", "snapshot_prefix=out/fine", "--set", "max_iter=7"]
    assert "--ignore-mismatch" in run_error(words, capsys)
    words += ["--ignore-mismatch", "--rename", "fc=fc_new", "--freeze", "fc*", "--freeze", "embed"]
    assert main(words) == 0
    shown = capsys.readouterr().err
    assert re.search(r"^  weights +Weights from out/tiny_iter_5.caffemodel: 3 layers loaded$",
                     shown, re.M)
    assert re.search(r"^ +left out: layer 'predict': parameter 0 has another shape in the file "
                     r"\(file \(7, 6\), net \(8, 6\)\)$", shown, re.M)
    assert re.search(r"^  frozen +fc_new, embed$", shown, re.M)
    from caffe_lrcn.proto.weights_io import read_weights
    before, after = ({layer.name: layer.blobs for layer in read_weights(path).layers}
                     for path in ("out/tiny_iter_5.caffemodel", "out/fine_iter_7.caffemodel"))
    for old, new, equal in (("fc", "fc_new", True), ("embed", "embed", True),
                            ("lstm", "lstm", False)):
        assert (before[old][0] == after[new][0]).all() == equal, old
    # A frozen layer that is no longer frozen is not passed over in silence.
    assert main(["train", "--solver", str(task), "--snapshot", "out/fine",
                 "--set", "max_iter=8", "--set", "snapshot_prefix=out/fine"]) == 0
    assert "with --freeze fc*,embed, this one has nothing" in capsys.readouterr().err


def test_reports_are_complete():
    report = LoadReport("w", ["a"], ["b"], ["c"], ["layer 'b': why"])
    assert [line.strip().partition(":")[0] for line in report.lines()] == [
        "Weights from w", "not in the file (they keep their fillers)", "not in the net (ignored)",
        "left out"]
