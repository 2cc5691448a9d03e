"""Layers that a user's module defines."""
from __future__ import annotations

import subprocess
import sys
import traceback
from pathlib import Path

import numpy as np
import pytest

import caffe_lrcn as caffe
from caffe_lrcn.errors import PrototxtError
from tests.pycaffe.nets import LINEAR, NOISE, write, write_solver

ROOT = Path(__file__).resolve().parents[2]
MODULE = "tests.pycaffe.user_layers"
DATA = np.random.default_rng(1).normal(size=(4, 3)).astype("f4")


def python(name, layer, bottoms="", tops="", extra="", module=MODULE):
    return f"""
layer {{ name: "{name}" type: "Python" {"".join(f' bottom: "{b}"' for b in bottoms.split())}
  {"".join(f' top: "{t}"' for t in tops.split())}
  python_param {{ module: "{module}" layer: "{layer}" {extra} }} }}"""


def make(tmp_path, text, phase=caffe.TRAIN):
    return caffe.Net(write(tmp_path, text), phase)


def test_forward_backward_and_param_str(tmp_path):
    net = make(tmp_path, LINEAR + python("times", "Multiply", "fc", "out", 'param_str: "2.5"'))
    out = net.forward(data=DATA)
    np.testing.assert_allclose(out["out"], 2.5 * net.blobs["fc"].data)
    net.backward(out=np.ones((4, 2)))
    np.testing.assert_array_equal(net.blobs["fc"].diff, 2.5)
    layer = net.layer_dict["times"]
    assert layer.type == "Python" and layer.factor == 2.5 and layer.seen == [True]


def test_it_is_reshaped_before_every_pass(tmp_path):
    net = make(tmp_path, LINEAR + python("times", "Multiply", "fc", "out", 'param_str: "1"'))
    net.blobs["data"].reshape(9, 3)
    assert net.forward()["out"].shape == (9, 2)


def test_parameters_learn_and_are_saved(tmp_path):
    text = LINEAR + python("bias", "Bias", "fc", "out")
    net = make(tmp_path, text)
    assert net.forward(data=DATA)["out"][0, 0] == pytest.approx(net.blobs["fc"].data[0, 0] + 2)
    net.backward(out=np.ones((4, 2)))
    assert net.params["bias"][0].diff == 8
    net.params["bias"][0].data[0] = 5
    net.save(str(tmp_path / "w.caffemodel"))
    other = make(tmp_path, text)
    other.copy_from(str(tmp_path / "w.caffemodel"))
    assert other.layer_dict["bias"].blobs[0].data == 5
    assert len(other._engine.learnable_params) == 3


def test_a_loss_needs_its_weight(tmp_path):
    loss = python("loss", "Euclidean", "fc target", "loss")
    plain = LINEAR.replace("force_backward: true", "")
    text = plain.replace("layer {", """layer { name: "target" type: "Input" top: "target"
        input_param { shape { dim: 4 dim: 2 } } } layer {""", 1) + loss
    weighted = text.replace("python_param", "loss_weight: 3 python_param")
    built_in = text.replace(loss, """layer { name: "loss" type: "EuclideanLoss"
        bottom: "fc" bottom: "target" top: "loss" }""")
    nets = [make(tmp_path, each) for each in (text, weighted, built_in)]
    losses = []
    for net in nets:
        net.share_with(nets[0])
        net.blobs["data"].data[...] = DATA
        losses.append(net._forward(0, len(net.layers) - 1))
        net.backward()
    assert losses[0] == 0 and losses[1] == pytest.approx(3 * losses[2]) and losses[2] > 0
    assert not nets[0].params["fc"][0].diff.any()
    np.testing.assert_allclose(nets[1].params["fc"][0].diff, nets[2].params["fc"][0].diff,
                               rtol=1e-4)


@pytest.mark.parametrize("phase", [caffe.TRAIN, caffe.TEST])
def test_phase_is_there_from_the_start(tmp_path, phase):
    net = make(tmp_path, python("p", "Phase", "", "phase", 'param_str: "x"'), phase)
    assert net.forward()["phase"] == phase
    assert net.layers[0].given == ("p", phase, "x") and net.layers[0].param_str_ == "x"


def test_exceptions_come_through_with_their_own_traceback(tmp_path):
    net = make(tmp_path, LINEAR + python("f", "Failing", "fc", "out", 'param_str: "1"'))
    with pytest.raises(ArithmeticError, match="^on purpose$") as caught:
        net.forward()
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert last.name == "forward" and last.filename.endswith("user_layers.py")
    with pytest.raises(ValueError, match="two bottoms"):
        make(tmp_path, LINEAR + python("e", "Euclidean", "fc", "out"))


def test_the_command_line_prints_the_traceback_and_exits_with_1(tmp_path):
    write_solver(tmp_path)
    write(tmp_path, NOISE + python("f", "Failing", "fc", "out", 'param_str: "1"'),
          "noise.prototxt")
    result = subprocess.run(
        [sys.executable, "-m", "caffe_lrcn", "train", "--solver", "solver.prototxt"],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True)
    assert result.returncode == 1
    assert "ArithmeticError: on purpose" in result.stderr and "user_layers.py" in result.stderr


@pytest.mark.parametrize("module,name,error,words", [
    ("no_such_module", "X", ImportError, "no module 'no_such_module'.*PYTHONPATH"),
    (f"{MODULE}.deeper", "X", ImportError, "no module"),
    (MODULE, "Multiplex", AttributeError, "no class 'Multiplex'"),
    (MODULE, "not_a_layer", PrototxtError, "is not a layer"),
    ("json", "JSONDecoder", PrototxtError, "derived from"),
    ("", "X", PrototxtError, "needs a module"),
])
def test_what_cannot_be_found(tmp_path, module, name, error, words):
    with pytest.raises(error, match=words) as caught:
        make(tmp_path, LINEAR + python("p", name, "fc", "out", module=module))
    assert isinstance(caught.value, RuntimeError) and "net.prototxt:" in str(caught.value)


def test_a_failing_import_inside_the_module_is_shown_as_it_is(tmp_path, monkeypatch):
    (tmp_path / "broken_user_module.py").write_text("import something_that_is_missing\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="^No module named 'something_that_is_missing'$"):
        make(tmp_path, LINEAR + python("p", "X", "fc", "out", module="broken_user_module"))


def test_share_in_parallel_changes_nothing(tmp_path):
    extra = 'param_str: "2" share_in_parallel: true'
    net = make(tmp_path, LINEAR + python("times", "Multiply", "fc", "out", extra))
    np.testing.assert_allclose(net.forward(data=DATA)["out"], 2 * net.blobs["fc"].data)


def train_with(tmp_path, layer):
    """Two steps after a break in the third; return the weights without and with the break."""
    path = write_solver(tmp_path)
    data = NOISE[NOISE.index("layer"):NOISE.index('layer { name: "fc"')]
    write(tmp_path, NOISE.replace(data, python("data", layer, "", "data label")),
          "noise.prototxt")
    whole = caffe.SGDSolver(path)
    whole.step(2)
    whole.snapshot()
    whole.step(2)
    part = caffe.SGDSolver(path)
    part.restore(str(tmp_path / "snap_iter_2.solverstate"))
    part.step(2)
    return whole.net.params["fc"][0].data, part.net.params["fc"][0].data


def test_state_and_restore_make_a_resume_exact(tmp_path, caplog):
    whole, part = train_with(tmp_path, "Mindful")
    np.testing.assert_array_equal(whole, part)
    assert "cannot be exact" not in caplog.text


def test_without_them_the_run_says_once_that_it_cannot_be_exact(tmp_path, caplog):
    whole, part = train_with(tmp_path, "Forgetful")
    assert not np.array_equal(whole, part)
    warnings = [r for r in caplog.records if "Forgetful has no state()" in r.getMessage()]
    # One for the train net, one for the test net.
    assert len(warnings) == 2


@pytest.mark.parametrize("layer,warned", [("Multiply", False), ("Stateful", True)])
def test_a_layer_with_bottoms_is_warned_of_only_if_it_says_so(tmp_path, caplog, layer, warned):
    net = make(tmp_path, LINEAR + python("times", layer, "fc", "out", 'param_str: "2"'))
    assert net._engine.state() == {} == net._engine.state()
    assert caplog.text.count("cannot be exact") == warned


@pytest.mark.parametrize("layer,warned", [("Constant", False), ("Forgetful", True)])
def test_a_layer_without_bottoms_can_say_that_it_remembers_nothing(tmp_path, caplog, layer,
                                                                   warned):
    net = make(tmp_path, python("data", layer, "", "a b"))
    assert net._engine.state() == {} == net._engine.state()
    assert caplog.text.count("cannot be exact") == warned
