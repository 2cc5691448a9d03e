"""A dry run goes through every net once and writes nothing."""
from __future__ import annotations

import os
from pathlib import Path

import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.cli.main import main
from caffe_lrcn.proto.text import parse_solver
from caffe_lrcn.solver.dry_run import dry_run
from caffe_lrcn.solver.training import Start

from .tiny import make_task


@pytest.fixture
def task(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_task(tmp_path)


def contents() -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in Path(".").rglob("*")}


def test_nothing_is_written(task, capsys):
    net = Path("tiny.prototxt")
    net.write_text(net.read_text() + 'layer { name: "file" type: "HDF5Output" bottom: "fc" '
                   'bottom: "fc" hdf5_output_param { file_name: "written.h5" } }')
    before = contents()
    assert main(["train", "--solver", str(task), "--cpu", "--dry-run"]) == 0
    assert contents() == before
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("test net 0: 9 layers, 777 parameters, loss 1.9")
    assert "    Test net output #0: accuracy = 0" in lines
    assert any(line.startswith("train net: 9 layers") for line in lines)
    assert any(line.startswith("gradient: L2 norm 1.2") for line in lines)
    assert lines[-1] == "This was a dry run: no file was written."


def test_the_numbers_are_those_of_the_run(task, capsys):
    assert main(["train", "--solver", str(task), "--cpu", "--set", "max_iter=5"]) == 0
    capsys.readouterr()
    for words, loss in (([], "loss 1.953"), (["--snapshot", "latest"], "loss 1.8"),
                        (["--weights", "out/tiny_iter_5.caffemodel"], "loss 1.8")):
        assert main(["train", "--solver", str(task), "--cpu", "--dry-run", *words]) == 0
        shown = capsys.readouterr().out
        assert loss in next(line for line in shown.splitlines() if line.startswith("train net"))
    assert "4 layers loaded" in shown


def test_memory():
    definition = parse_solver("""
        base_lr: 0.1 lr_policy: "fixed" type: "Adam" snapshot: 5 snapshot_prefix: "absent/x"
        net_param {
          layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 10 dim: 50 }
            data_filler { type: "gaussian" std: 1 } } }
          layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip"
            inner_product_param { num_output: 20 bias_term: false
                                  weight_filler { type: "xavier" } } }
          layer { name: "same" type: "Reshape" bottom: "ip" top: "same"
            reshape_param { shape { dim: 20 dim: 10 } } }
          layer { name: "loss" type: "Reduction" bottom: "same" top: "loss" loss_weight: 1 } }""",
        "s.prototxt")
    lines = dry_run(definition, get_backend("cpu"), Start())
    assert lines[-3] == "memory: 4 KB parameters, 4 KB gradients, 8 KB history of the solver"
    # x has no gradient; same shares ip's memory; the loss has both.
    assert lines[-2] == f"    blobs of the train net {(500 + 2 * 200 + 2) * 4 / 1000:.3g} KB"
    assert "the whole process" in lines[-1]
    assert not os.path.exists("absent")


def test_what_ends_a_training_ends_a_dry_run(task, capsys):
    words = ["train", "--solver", str(task), "--cpu", "--dry-run"]
    for change, message in ((["--set", "base_lr=-1", "--set", "lr_policy=none"], "lr_policy"),
                            (["--weights", "absent"], "absent"), (["--freeze", "x"], "--freeze")):
        assert main([*words, *change]) == 1
        assert message in capsys.readouterr().err
    net = Path("tiny.prototxt")
    net.write_text(net.read_text().replace('num_output: 7 axis: 2 weight_filler { type: "xavier" }',
                                           'num_output: 7 axis: 2 weight_filler { '
                                           'type: "constant" value: inf }'))
    assert main(words) == 1
    assert "the loss is" in capsys.readouterr().err


def test_data_of_the_default_job_are_not_made(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--solver", "prototxt/lrcn_solver.prototxt", "--cpu", "--dry-run"]) == 1
    assert "got no data/convnet.caffemodel, no data/captions)" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
