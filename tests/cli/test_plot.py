"""``caffe-lrcn plot``: runs, log files and CSV logs as charts."""
from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from caffe_lrcn.caffe_tools.training_curves import read_run, training_charts
from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import DataError
from tests.solver.tiny import make_task


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("plot")
    task = make_task(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, rate in (("a", 0.1), ("b", 0.3)):
            assert main(["train", "--solver", str(task), "--set", f"base_lr={rate}", "--cpu",
                         "--set", f"snapshot_prefix=runs/{name}/tiny"]) == 0
    return folder / "runs"


def test_a_run_is_read_from_its_folder_its_table_and_its_log(runs):
    folder = read_run(str(runs / "a"))
    assert folder.name == "a" and folder.path == str(runs / "a" / "tiny_log.csv")
    table, log = read_run(str(runs / "a/tiny_log.csv")), read_run(str(runs / "a/tiny.log"))
    assert table.name == log.name == "tiny"
    assert folder.curves == table.curves
    assert set(table.curves) == {"lr", "mean_loss", "loss", "accuracy"}
    assert set(log.curves) == {"lr", "loss", "accuracy"}
    for column in ("loss", "accuracy"):
        assert set(log.curves[column]) == set(table.curves[column])
        for net, points in log.curves[column].items():
            # The last display after the end has no lines of outputs, as in Caffe.
            assert points == pytest.approx({i: table.curves[column][net][i] for i in points},
                                           rel=1e-4), (column, net)
    assert list(log.curves["lr"]["train"].values())[0] == pytest.approx(0.1)


def test_each_column_is_a_chart_and_runs_are_compared(runs):
    one = training_charts([read_run(str(runs / "a"))])
    assert [chart.title for chart in one] == ["mean_loss", "loss", "accuracy", "lr"]
    assert [curve.name for curve in one[1].curves] == ["train", "test 0", "test 1"]
    assert [len(curve.points) for curve in one[1].curves] == [7, 6, 6]
    both = training_charts([read_run(str(runs / name)) for name in "ab"], ["accuracy"])
    assert [[curve.name for curve in chart.curves] for chart in both] == [
        ["a test 1", "b test 1"]]
    names = [curve.name for curve in training_charts(
        [read_run(str(runs / name / "tiny.log")) for name in "ab"], ["accuracy"])[0].curves]
    assert len(set(names)) == 2  # of one name: their paths tell them apart


@pytest.mark.parametrize("ending", ["png", "svg", "html"])
def test_formats(runs, tmp_path, ending, capsys):
    out = tmp_path / f"x.{ending}"
    assert main(["plot", str(runs / "a"), str(runs / "b"), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    if ending == "png":
        with Image.open(out) as picture:
            assert picture.size == (1800, 4 * 2 * 420)
        return
    text = out.read_text()
    assert "a train" in text and "accuracy" in text
    if ending == "svg":
        ElementTree.fromstring(text)
    else:
        assert text.count("<svg") == text.count("</svg>") == 4 and "<title>a, b</title>" in text
        dark = text[text.index("prefers-color-scheme: dark"):text.index("</style>")]
        assert "svg > rect { fill:" in dark and 'polyline[stroke="#dddddd"]' in dark


def test_the_drawing_lies_beside_the_log(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["plot", str(runs / "a"), "--show", "loss"]) == 0
    assert (runs / "a" / "tiny_log.png").exists()
    assert main(["plot", str(runs / "a"), str(runs / "b"), "--show", "loss"]) == 0
    assert Path("plot.png").exists()


def test_what_cannot_be_drawn(runs, tmp_path, capsys):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    (tmp_path / "cut.csv").write_text("iteration,net,lr,mean_loss\n1,train,0.1\n2,train,x,y\n")
    (tmp_path / "empty.csv").write_text("iteration,net,lr,mean_loss\n")
    (tmp_path / "some").mkdir()
    for name in "12":
        (tmp_path / "some" / f"{name}.log").write_text("")
    for words, message in ((["absent"], "cannot be read"), ([str(runs)], "no log"),
                           ([str(tmp_path / "x.csv")], "not the CSV log"),
                           ([str(tmp_path / "cut.csv")], "could not convert"),
                           ([str(tmp_path / "empty.csv")], "no values yet"),
                           ([str(tmp_path / "some")], "several logs"),
                           ([str(runs / "a"), "--show", "acc"], "mean_loss, loss, accuracy"),
                           ([str(runs / "a"), "--out", "x.xyz"], "unknown format")):
        assert main(["plot", *words]) == 1, words
        assert message in capsys.readouterr().err


def test_a_resumed_log_tells_an_iteration_twice(tmp_path):
    rows = "iteration,net,lr,mean_loss\n0,train,0.1,5\n1,train,0.1,4\n1,train,0.1,3\n"
    (tmp_path / "x_log.csv").write_text(rows)
    assert read_run(str(tmp_path)).curves["mean_loss"]["train"] == {0: 5, 1: 3}
    with pytest.raises(DataError):
        read_run(str(tmp_path / "absent_log.csv"))
