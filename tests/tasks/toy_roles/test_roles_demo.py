"""The demonstration of video description on a tiny setting, from video files to the page."""
from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.cli.demo_description import SOURCES as SHOWN_SOURCES
from caffe_lrcn.cli.main import main
from caffe_lrcn.solver.solver import Solver
from caffe_lrcn.tasks.description.feature_files import open_features
from caffe_lrcn.tasks.description.roles import read_roles
from caffe_lrcn.tasks.toy_roles.demo import Demo, Size
from caffe_lrcn.tasks.toy_roles.grammar import describe, is_true
from caffe_lrcn.tasks.toy_roles.material import Material, Training
from caffe_lrcn.tasks.toy_roles.recogniser import SOURCES, recognise
from caffe_lrcn.tasks.toy_roles.scenes import Scene
from caffe_lrcn.tasks.toy_roles.systems import SYSTEMS, scores

TINY = ["demo-description", "--groups", "4", "--clips", "5", "--recogniser-iterations", "2",
        "--iterations", "3"]
SIZE = Size(4, 5, 2)
OUT = Path("out/demo-description")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder in which the demonstration has run; ``command`` has what it printed last."""
    pytest.importorskip("av", reason="PyAV is not installed")
    path = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        assert main(TINY) == 0
        (path / "command").write_text(Demo(OUT, size=SIZE, iterations=3).command())
    return path


def test_the_page_holds_clips_roles_sentences_curves_and_table_9(folder):
    page = (folder / OUT / "index.html").read_text(encoding="utf-8")
    clips = read_roles(folder / OUT / "clips/test.json")
    assert page.count("data:image/webp;base64,") == page.count('class="roles"') > 1
    assert page.count("<svg") == 3
    for system in SYSTEMS:
        assert page.count(f"<dt>{system.title}</dt>") == page.count('class="roles"')
        assert system.paper is None or f"<td>{system.paper}</td>" in page
    assert not re.search(r"<script|https?://", page)
    found = json.loads((folder / OUT / "scores.json").read_text())
    assert found.pop("source") == "pixels"
    assert [*found] == [*(system.name for system in SYSTEMS), "blind"]
    for system in SYSTEMS:
        said = next((folder / OUT / "pixels" / system.name).glob("said_*.json"))
        texts = {entry["image_id"]: entry["caption"] for entry in json.loads(said.read_text())}
        assert list(texts) == clips.ids
        assert scores(texts, clips)["BLEU-4"] == pytest.approx(found[system.name]["BLEU-4"])
        assert main(["evaluate", str(said), str(folder / OUT / "clips/references_test.json")]) == 0


def test_the_command_that_is_printed_describes_the_clips(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    words = shlex.split((folder / "command").read_text())
    assert words[0] == "caffe-lrcn"
    assert main([*words[1:], "--cpu"]) == 0
    said = json.loads((OUT / "pixels/c/said_net_iter_3.json").read_text())
    assert capsys.readouterr().out.splitlines() == [
        f"{entry['image_id']}: {entry['caption']}" for entry in said]


def test_run_again_it_does_only_what_is_missing(folder, monkeypatch, capfd):
    monkeypatch.chdir(folder)
    names = [path for path in OUT.rglob("*") if path.is_file()
             and path.name not in ("index.html", "scores.json")]
    before = [path.stat().st_mtime_ns for path in names]
    (OUT / "index.html").unlink()
    assert main(TINY) == 0
    assert [path.stat().st_mtime_ns for path in names] == before
    assert (OUT / "index.html").exists()
    assert capfd.readouterr().err.count("there already") == 2 + len(SYSTEMS)


def test_a_training_that_was_stopped_goes_on(folder, monkeypatch, capfd):
    monkeypatch.chdir(folder)
    weights = OUT / "pixels/a/net_iter_6.caffemodel"
    whole = weights.read_bytes()
    for path in weights.parent.iterdir():
        path.unlink()
    step = Solver.step

    def stopped(self: Solver, iterations: int) -> None:
        raise KeyboardInterrupt
    monkeypatch.setattr(Solver, "step", stopped)
    monkeypatch.setattr(Solver, "solve", lambda self, *rest: step(self, 2))
    with pytest.raises(KeyboardInterrupt):
        Demo(OUT, size=SIZE, iterations=3).run()
    assert "The same command as before goes on there" in capfd.readouterr().err
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert main(TINY) == 0
    assert weights.read_bytes() == whole


def test_a_seed_gives_the_same_weights_and_another_one_others(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    material = Material(folder / OUT / "pixels")
    for system in SYSTEMS:
        if system.definitions:
            learnt = [system.train(material, tmp_path / system.name / str(number),
                                   Training(seed, 2)).read_bytes()
                      for number, seed in enumerate((4, 4, 5))]
            assert learnt[0] == learnt[1] != learnt[2], system.name


def test_noisy_roles_stand_in_for_those_of_the_pixels(folder, tmp_path):
    assert SHOWN_SOURCES == SOURCES
    clips, material = folder / OUT / "clips", Material(tmp_path / "noisy")
    agreement = recognise(clips, folder / OUT / "recogniser/net_iter_2.caffemodel", material,
                          "noisy", lambda line: None)
    for split in ("train", "val", "test"):
        noisy, got = read_roles(clips / f"noisy_{split}.json"), material.roles(split)
        np.testing.assert_array_equal(got.probabilities, noisy.probabilities)
        assert (tmp_path / "noisy" / (got.videos[0] or "")).resolve().is_file()
        assert 0 < agreement[split].whole < 1
    features = open_features(material.features)
    assert features.width == 128 and {*features.counts.values()} == {8}
    assert len(features.counts) == SIZE.groups * SIZE.clips


@pytest.mark.parametrize("flags, text", [
    (["--groups", "5"], "with other settings .*got groups 5, clips 5|other settings"),
    (["--recogniser-iterations", "3"], "other settings.*recogniser 3")])
def test_other_settings_need_another_folder(folder, monkeypatch, capsys, flags, text):
    monkeypatch.chdir(folder)
    assert main([*TINY, *flags]) == 1
    assert re.search(text, " ".join(capsys.readouterr().err.split()))


@pytest.mark.parametrize("flags", [["--groups", "3"], ["--clips", "0"], ["--iterations", "0"],
                                   ["--groups", "100"]])
def test_what_cannot_be_done_is_refused(tmp_path, monkeypatch, capsys, flags):
    monkeypatch.chdir(tmp_path)
    try:
        assert main(["demo-description", *flags]) != 0
    except SystemExit as error:
        assert error.code
    assert flags[0] in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_what_was_written_about_a_scene_is_true_of_it_alone():
    scene = Scene("peel", "peeler", "carrot", "none", "sink")
    for text in describe(scene, np.random.default_rng(1), 20):
        assert is_true(text, scene)
        assert not is_true(text, Scene("peel", "peeler", "potato", "none", "sink"))
    assert is_true("She peels a carrot with a peeler.", scene)
    assert not is_true("She peels a carrot with a knife.", scene)
    assert not is_true("She peels a carrot with a peeler", scene)
