"""Weights of another net, and weights that nobody gave: every command says so."""
from __future__ import annotations

import logging

import numpy as np
import pytest
from PIL import Image

import caffe_lrcn as caffe
from caffe_lrcn import glog
from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import WeightsError
from caffe_lrcn.proto.text import read_solver
from caffe_lrcn.solver.solver import Solver
from tests.caffe_tools import scripts

NET = """layer { name: "data" type: "DummyData" top: "data" top: "label" dummy_data_param {
  shape { dim: 2 dim: 3 dim: 4 dim: 4 } shape { dim: 2 }
  data_filler { type: "gaussian" std: 1 } data_filler { type: "constant" value: 1 } } }
layer { name: "NAME" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 3 FILLER } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
DEPLOY = """layer { name: "data" type: "Input" top: "data"
  input_param { shape { dim: 2 dim: 3 dim: 4 dim: 4 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "score"
  inner_product_param { num_output: 3 } }
"""
SOLVER = ('net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 2 snapshot: 2 '
          'snapshot_prefix: "out/x" snapshot_after_train: false solver_mode: CPU random_seed: 1')
FILLER = 'weight_filler { type: "xavier" }'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    handlers, propagate = list(glog.logger.handlers), glog.logger.propagate

    def write(name: str, text: str):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    foreign = write("other.prototxt", NET.replace("NAME", "other").replace("FILLER", FILLER))
    caffe.Net(foreign, caffe.TEST).save("foreign.caffemodel")
    write("net.prototxt", NET.replace("NAME", "ip").replace("FILLER", ""))
    write("deploy.prototxt", DEPLOY)
    write("solver.prototxt", SOLVER)
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    yield tmp_path
    glog.logger.handlers[:], glog.logger.propagate = handlers, propagate


def refused(text: str) -> bool:
    return ("foreign.caffemodel: no layer of the net is named in these weights (got other, "
            "wanted ip)") in text


@pytest.mark.parametrize("words", [
    ["test", "--model", "net.prototxt", "--weights", "foreign.caffemodel", "--iterations", "1"],
    ["time", "--model", "net.prototxt", "--weights", "foreign.caffemodel", "--iterations", "1"],
    ["train", "--solver", "solver.prototxt", "--weights", "foreign.caffemodel"],
    ["extract_features", "foreign.caffemodel", "net.prototxt", "ip", "db", "1", "lmdb"],
], ids=lambda words: words[0])
def test_commands_refuse_them(folder, capsys, words):
    assert main([*words, *([] if words[0] == "extract_features" else ["--cpu"])]) == 1
    assert refused(capsys.readouterr().err) and not (folder / "db").exists()


@pytest.mark.parametrize("tool", ["classify", "detect"])
def test_tools_refuse_them(folder, capsys, tool):
    (folder / "list.txt").write_text("a.png\n")
    words = (["a.png", "out.npy"] if tool == "classify" else
             ["list.txt", "out.csv", "--crop_mode", "list"])
    assert scripts.run(tool, *words, "--model_def", "deploy.prototxt", "--pretrained_model",
                       "foreign.caffemodel", "--mean_file", "") == 1
    assert refused(capsys.readouterr().err)


def test_python_refuses_them(folder):
    for load in (lambda: caffe.Net("deploy.prototxt", caffe.TEST, weights="foreign.caffemodel"),
                 lambda: caffe.Net("deploy.prototxt", caffe.TEST).copy_from("foreign.caffemodel"),
                 lambda: caffe.Classifier("deploy.prototxt", "foreign.caffemodel")):
        with pytest.raises(WeightsError) as caught:
            load()
        assert refused(str(caught.value))


def zeros_named(caplog) -> int:
    return caplog.text.count("layer 'ip': its weights have no filler, so all start as 0")


def test_weights_that_start_as_zeros_are_named_once(folder, caplog):
    solver = Solver(read_solver("solver.prototxt"))
    assert not zeros_named(caplog)  # weights may still come
    solver.step(1)
    solver.step(1)
    assert zeros_named(caplog) == 1
    solver.close()


def test_weights_from_a_file_a_snapshot_or_a_program_are_none(folder, caplog):
    caplog.set_level(logging.WARNING)
    text = SOLVER.replace("max_iter: 2", "max_iter: 4")
    with_filler = NET.replace("NAME", "ip").replace("FILLER", FILLER)
    (folder / "net.prototxt").write_text(with_filler)
    first = Solver(read_solver("solver.prototxt"))
    first.solve()
    first.close()
    (folder / "net.prototxt").write_text(with_filler.replace(FILLER, ""))
    (folder / "solver.prototxt").write_text(text)
    (folder / "copied.prototxt").write_text(text + ' weights: "out/x_iter_2.caffemodel"')
    resumed, copied = (Solver(read_solver(name)) for name in
                       ("solver.prototxt", "copied.prototxt"))
    resumed.restore("latest")
    programmed = caffe.SGDSolver("solver.prototxt")
    programmed.net.params["ip"][0].data[...] = np.float32(0.5)
    for solver in (resumed, copied, programmed):
        solver.step(1)
    assert not zeros_named(caplog)
    resumed.close()
    copied.close()
