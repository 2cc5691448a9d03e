"""Runs are done once, in order, and again when what they are made of changes."""
from __future__ import annotations

import json
from pathlib import Path

import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.tasks.reproduction.study import Run, do_runs, read_runs


class Work:
    """Counts what is done; fails at a named run."""

    def __init__(self, failing: str = "") -> None:
        self.done: list[Path] = []
        self.failing = failing

    def __call__(self, folder: Path) -> dict[str, float]:
        if self.failing and self.failing in folder.name:
            (folder / "half").write_text("a snapshot")
            raise KeyboardInterrupt
        self.done.append(folder)
        return {"accuracy": 50.0 + len(self.done)}


def runs(work: Work, text: str = "net") -> list[Run]:
    return [Run(name, seed, (text,), work) for seed in (1, 2) for name in ("one", "two")]


def test_each_run_is_done_once(tmp_path):
    work, lines = Work(), []
    figures = do_runs(runs(work), tmp_path, lines.append)
    assert [figures[key]["accuracy"] for key in (("one", 1), ("two", 1), ("one", 2), ("two", 2))] \
        == [51, 52, 53, 54]
    assert lines[0] == "run 1 of 4: one, seed 1"
    assert lines[3].startswith("run 4 of 4: two, seed 2, about ") and lines[3].endswith(" left")
    assert do_runs(runs(work), tmp_path, lines.append) == figures
    assert len(work.done) == 4 and len(lines) == 4


def test_an_interrupted_study_goes_on(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        do_runs(runs(Work("two")), tmp_path, lambda line: None)
    work, lines = Work(), []
    do_runs(runs(work), tmp_path, lines.append)
    assert lines[:2] == ["1 of 4 runs are done already", lines[1]]
    assert lines[1].startswith("run 2 of 4: two, seed 1, about ")
    assert len(work.done) == 3
    assert (work.done[0] / "half").exists()  # it goes on in the same folder


def test_what_a_run_is_made_of_decides(tmp_path):
    work = Work()
    do_runs(runs(work), tmp_path, lambda line: None)
    assert read_runs(runs(work, "other net"), tmp_path) == {}
    do_runs(runs(work, "other net"), tmp_path, lambda line: None)
    assert len(work.done) == len(set(work.done)) == 8
    assert len(read_runs(runs(work), tmp_path)) == 4  # the first ones are still there


@pytest.mark.parametrize("content", ["", "[1]", '{"made_of": "other", "figures": {}}'])
def test_damaged_figures_do_not_count(tmp_path, content):
    run = runs(Work())[0]
    run.folder(tmp_path).mkdir(parents=True)
    (run.folder(tmp_path) / "figures.json").write_text(content)
    assert read_runs([run], tmp_path) == {}


def test_a_figure_that_is_not_a_number_is_kept_as_it_is(tmp_path):
    run = Run("one", 1, (), lambda folder: {"accuracy": 1.5})
    do_runs([run], tmp_path, lambda line: None)
    content = json.loads((run.folder(tmp_path) / "figures.json").read_text())
    assert content["made_of"] == run.fingerprint and content["figures"]["accuracy"] == 1.5


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(DataError, match="the figures cannot be written"):
        do_runs(runs(Work()), tmp_path / "out", lambda line: None)
