"""The demonstration of activity recognition on a tiny setting, from video files to the page."""
from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import features

from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import DataError
from caffe_lrcn.solver.solver import Solver
from caffe_lrcn.tasks.activity.flow import FlowMethod
from caffe_lrcn.tasks.toy_actions import demo
from caffe_lrcn.tasks.toy_actions.motions import CLASSES

TINY = ["demo-activity", "--groups", "2", "--single-iterations", "2", "--lrcn-iterations", "3"]
NETS = {"single_frame_RGB": 2, "lrcn_RGB": 3, "single_frame_flow": 2, "lrcn_flow": 3}


def differences(name: str) -> FlowMethod:
    """Stand in for OpenCV's flow, which tests do not need."""
    def compute(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        change = (second.astype(np.float32) - first) / 64
        return np.stack([change, -change], axis=2)
    return FlowMethod(name, compute)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder in which the demonstration has run."""
    path = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        patch.setattr(demo, "opencv", differences)
        assert main(TINY) == 0
    return path


@pytest.fixture(autouse=True)
def _quick_flow(monkeypatch):
    monkeypatch.setattr(demo, "opencv", differences)


def test_the_page_holds_clips_curves_matrices_and_both_tables(folder):
    page = (folder / "out/demo-activity/index.html").read_text(encoding="utf-8")
    kind = "webp" if features.check("webp") else "png"
    assert page.count(f"data:image/{kind};base64,") == 2 * len(CLASSES)
    assert page.count("LRCN, RGB") == page.count("LRCN, flow") == len(CLASSES)
    assert page.count("true class") == 6
    for value in ("67.4", "74.4", "75.5", "78.9", "68.2", "77.3", "80.9", "82.3"):
        assert f"<td>{value}</td>" in page
    assert not re.search(r"<script|https?://", page)
    scores = json.loads((folder / "out/demo-activity/scores.json").read_text())
    assert {kind: set(row) for kind, row in scores.items()} == dict.fromkeys(
        ("single_frame", "lrcn"), {"RGB", "flow", "average", "third"})
    for name in NETS:
        assert main(["evaluate-activity", str(folder / f"out/demo-activity/{name}.json")]) == 0


def test_lrcn_starts_from_the_single_frame_net(folder):
    for modality in ("RGB", "flow"):
        log = (folder / f"out/activity/small/lrcn_{modality}.log").read_text()
        assert f"out/activity/small/single_frame_{modality}_iter_2.caffemodel" in log


def test_run_again_it_does_only_what_is_missing(folder, monkeypatch, capfd):
    monkeypatch.chdir(folder)
    names = [f"out/activity/small/{name}_iter_{last}.caffemodel" for name, last in NETS.items()]
    names += [f"out/demo-activity/{name}.json" for name in NETS]
    before = [Path(name).stat().st_mtime_ns for name in names]
    Path("out/demo-activity/index.html").unlink()
    assert main(TINY) == 0
    assert [Path(name).stat().st_mtime_ns for name in names] == before
    assert Path("out/demo-activity/index.html").exists()
    assert capfd.readouterr().err.count("is there already") == 4


def test_a_training_that_was_stopped_goes_on(folder, monkeypatch, capfd):
    monkeypatch.chdir(folder)
    weights = Path("out/activity/small/lrcn_flow_iter_3.caffemodel")
    whole = weights.read_bytes()
    for path in weights.parent.glob("lrcn_flow*"):
        path.unlink()
    step = Solver.step

    def stopped(self: Solver, iterations: int) -> None:
        raise KeyboardInterrupt
    monkeypatch.setattr(Solver, "step", stopped)
    monkeypatch.setattr(Solver, "solve", lambda self, *rest: step(self, 1))
    with pytest.raises(KeyboardInterrupt):
        demo.Demo(Path("out/demo-activity"), 2, single_frame=2, lrcn=3).run()
    assert "The same command as before goes on there" in capfd.readouterr().err
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(demo, "opencv", differences)
    assert main(TINY) == 0
    assert weights.read_bytes() == whole


def test_clips_of_another_number_are_refused(folder, monkeypatch):
    monkeypatch.chdir(folder)
    with pytest.raises(DataError, match="another number of groups .*got 2, wanted 3.*--groups 2"):
        demo.Demo(Path("out"), 3).run()


@pytest.mark.parametrize("flags, text", [
    (["--groups", "1"], "--groups is out of range"), (["--groups", "100"], "2 to 99"),
    (["--lrcn-iterations", "0"], "a training needs iterations")])
def test_what_cannot_be_done_is_refused(tmp_path, monkeypatch, capsys, flags, text):
    monkeypatch.chdir(tmp_path)
    assert main(["demo-activity", *flags]) == 1
    assert text in capsys.readouterr().err and not list(tmp_path.iterdir())
