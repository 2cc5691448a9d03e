"""``draw`` and ``summary``: shapes, and the stages that a net needs."""
from __future__ import annotations

from pathlib import Path

import pytest

from caffe_lrcn.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = str(ROOT / "prototxt" / "lrcn.prototxt")
#: Two variants, each in a stage of its own.
STAGED = """name: "staged"
layer { name: "x" type: "Input" top: "x" include { stage: "small" }
  input_param { shape { dim: 2 dim: 3 } } }
layer { name: "x" type: "Input" top: "x" include { stage: "large" }
  input_param { shape { dim: 2 dim: 7 } } }
"""
SHARED = STAGED + 'layer { name: "fc" type: "InnerProduct" bottom: "x" top: "y" ' \
                  'inner_product_param { num_output: 5 } }\n'
SOLVER = 'net: "n.prototxt" base_lr: 0.1 lr_policy: "fixed" train_state { stage: "large" } ' \
         'test_state { stage: "small" } test_iter: 1 test_interval: 1'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_shapes_stand_below_blobs_or_in_their_layers_box(folder, capsys):
    (folder / "n.prototxt").write_text(SHARED)
    assert main(["draw", "n.prototxt", "-", "--stage", "large"]) == 0
    shown = capsys.readouterr().out
    assert "2 x 7" in shown.splitlines()[2] and "2 x 5" in shown
    assert main(["draw", "n.prototxt", "-", "--stage", "small", "--all_blobs"]) == 0
    assert "(x 2 x 3)" in (shown := capsys.readouterr().out) and "(y 2 x 5)" in shown
    assert main(["draw", "n.prototxt", "n.svg", "--stage", "small"]) == 0
    assert ">2 x 3</text>" in (folder / "n.svg").read_text()


def test_a_net_that_cannot_be_built_is_drawn_with_what_is_known(folder, capsys):
    (folder / "n.prototxt").write_text(SHARED.replace("num_output: 5", "num_output: 5 axis: 9"))
    assert main(["draw", "n.prototxt", "-", "--stage", "small"]) == 0
    shown = capsys.readouterr()
    assert "fc (InnerProduct)" in shown.out and "2 x 3" in shown.out
    assert "cannot run as it is drawn (TEST, stages small)" in shown.err and "1 error." in shown.err


def test_a_missing_stage_is_named(folder, capsys):
    (folder / "n.prototxt").write_text(STAGED)
    assert main(["draw", "n.prototxt", "made/n.svg"]) == 1
    assert "no layer to draw" in (said := capsys.readouterr().err)
    assert "Its rules name the stages large, small" in said and "--phase ALL" in said
    (folder / "n.prototxt").write_text(SHARED)
    assert main(["draw", "n.prototxt", "made/n.svg"]) == 0
    assert "name the stages large, small: --stage sets them" in capsys.readouterr().err
    assert (folder / "made" / "n.svg").exists()


@pytest.mark.parametrize("name", ["n_solver.prototxt", "solver.prototxt"])
def test_the_solver_beside_the_net_chooses(folder, capsys, name):
    (folder / "n.prototxt").write_text(SHARED)
    (folder / name).write_text(SOLVER)
    for phase, shape, stage in (("TEST", "2 x 3", "small"), ("TRAIN", "2 x 7", "large")):
        for command in (["draw", "n.prototxt", "-"], ["summary", "n.prototxt"]):
            assert main([*command, "--phase", phase]) == 0
            shown = capsys.readouterr()
            assert shape in shown.out
            assert f"note: stages {stage}, as {name} sets them; --stage takes" in shown.err
    assert main(["summary", "n.prototxt", "--stage", "large"]) == 0
    assert "note" not in capsys.readouterr().err


def test_a_solver_of_another_net_does_not_choose(folder, capsys):
    (folder / "n.prototxt").write_text(SHARED)
    (folder / "m.prototxt").write_text(SHARED)
    (folder / "m_solver.prototxt").write_text(SOLVER)
    assert main(["summary", "m.prototxt"]) == 1
    assert "as m_solver" not in capsys.readouterr().err
    (folder / "m_solver.prototxt").write_text("nonsense {")
    assert main(["summary", "m.prototxt"]) == 1


@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
def test_the_default_net_needs_no_flags(capsys, phase):
    assert main(["summary", DEFAULT, "--phase", phase]) == 0
    shown = capsys.readouterr()
    assert "lstm2" in shown.out and "lrcn_solver.prototxt sets them" in shown.err
    assert main(["draw", DEFAULT, "-", "--phase", phase]) == 0
    assert "lstm2 (LSTM)" in capsys.readouterr().out
