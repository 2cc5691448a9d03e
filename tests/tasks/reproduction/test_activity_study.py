"""The study of activity recognition on a tiny setting: runs, cache, fusions, tables."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.layer_types.base import Settings
from caffe_lrcn.paths import resolve
from caffe_lrcn.tasks.activity.flow import FlowMethod
from caffe_lrcn.tasks.activity.results import fused, read_results
from caffe_lrcn.tasks.reproduction.activity import VARIANTS, ActivityStudy
from caffe_lrcn.tasks.reproduction.study import do_runs, read_runs
from caffe_lrcn.tasks.toy_actions import demo
from caffe_lrcn.tasks.toy_actions.systems import System

OUT = Path("out/reproduce-activity")
TINY = ["reproduce", "activity", "--groups", "2", "--iterations", "2", "--seeds", "1"]


def differences(name: str) -> FlowMethod:
    """Stand in for OpenCV's flow, which tests do not need."""
    def compute(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        change = (second.astype(np.float32) - first) / 64
        return np.stack([change, -change], axis=2)
    return FlowMethod(name, compute)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with data and the first runs: single frames, LRCN, every second frame."""
    path = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        patch.setattr(demo, "opencv", differences)
        demo.Demo(OUT, 2).make_data()
        do_runs([run for run in study().runs() if run.name.startswith(
            ("single", "LRCN-RGB", "LRCN-flow", "LRCN-every-second-frame-RGB"))], OUT, print)
    return path


@pytest.fixture(autouse=True)
def _there(folder, monkeypatch):
    monkeypatch.chdir(folder)


def study(seeds: int = 1) -> ActivityStudy:
    return ActivityStudy(OUT, seeds, Settings(workers=0), iterations=2)


def test_runs_come_seed_by_seed_and_single_frames_before_lrcn():
    runs = study(2).runs()
    assert len({(run.name, run.seed) for run in runs}) == len(runs) == 2 * 2 * len(VARIANTS)
    assert [run.seed for run in runs] == sorted(run.seed for run in runs)
    assert [run.name for run in runs[:4]] == ["single-frame-RGB", "single-frame-flow", "LRCN-RGB",
                                              "LRCN-flow"]
    assert len({run.fingerprint for run in runs}) == len(runs)


def test_an_lrcn_starts_from_the_single_frame_net_of_its_seed_and_modality():
    runs = {run.name: run for run in study().runs()}
    log = (runs["LRCN-flow"].folder(OUT) / "net.log").read_text()
    assert str(runs["single-frame-flow"].folder(OUT) / "net_iter_2.caffemodel") in log


def test_other_clips_or_iterations_are_other_runs(monkeypatch):
    done = {run.fingerprint for run in study().runs()}
    assert done.isdisjoint(run.fingerprint for run in ActivityStudy(OUT, 1, iterations=3).runs())
    video = next(Path("data/toy-actions/videos").rglob("*.avi"))
    content = video.read_bytes()
    try:
        video.write_bytes(content + b"x")
        assert done.isdisjoint(run.fingerprint for run in study().runs())
    finally:
        video.write_bytes(content)


def test_the_clips_of_a_variant_reach_the_net():
    log = (next(Path(OUT).glob("seed-1/LRCN-every-second-frame-RGB-*")) / "net.log").read_text()
    assert "clip_length: 4" in log and "frame_stride: 2" in log


def test_figures_are_those_of_the_results_and_fusions_of_both():
    runs = {run.name: run for run in study().runs()}
    figures = read_runs(runs.values(), OUT)
    assert len(figures) == 5
    nets = [read_results(runs[f"LRCN-{name}"].folder(OUT) / "results.json")
            for name in ("RGB", "flow")]
    found = study().findings(figures)
    cells = dict(found.tables[0].rows)["LRCN"]
    both = fused(nets, (1 / 3, 2 / 3))
    expected = [np.mean(net.predicted == net.labels) for net in (*nets, both)]
    assert [cells[index].mean for index in (0, 1, 3)] == pytest.approx(
        [100 * value for value in expected])
    assert [cell.paper for cell in cells] == ["68.20", "77.28", "80.90", "82.34"]


def test_the_command_shows_what_is_done_and_what_is_not(capsys):
    assert main([*TINY, "--only-tables"]) == 0
    said = capsys.readouterr().out
    assert "not run yet" in said and "one seed tells nothing" in said
    assert "(82.34)" in said and f"{OUT}/index.html" in said
    assert "LRCN before a single frame" in (OUT / "index.html").read_text()


@pytest.mark.parametrize(("flags", "message"), [
    (["--seeds", "0"], "--seeds must be positive"),
    (["--iterations", "0"], "--iterations must be positive"),
    (["--groups", "1"], "--groups is out of range")])
def test_impossible_numbers(flags, message, capsys):
    assert main(["reproduce", "activity", *flags]) == 1
    assert message in capsys.readouterr().err


def test_every_stage_is_one_that_the_nets_name():
    text = Path(resolve(System("lrcn", "RGB").net)).read_text()
    for variant in VARIANTS:
        for stage in (*variant.stages, *variant.learning):
            assert f'"{stage}"' in text
