"""Which nets a solver builds, in which states, and what it refuses."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import DivergedError, NetError, PrototxtError, WeightsError
from caffe_lrcn.proto.text import parse_solver, read_solver
from caffe_lrcn.solver.nets import plan_nets, with_state
from caffe_lrcn.solver.solver import Solver

NET = 'name: "{name}" {extra} layer {{ name: "x" type: "Input" top: "x" }}'
BASE = 'base_lr: 0.1 lr_policy: "fixed" snapshot_after_train: false solver_mode: CPU '
SUM = """net_param { name: "sum"
  layer { name: "data" type: "DummyData" top: "x" dummy_data_param {
    shape { dim: 2 dim: 3 } data_filler { type: "constant" value: 1 } } }
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param {
    num_output: 1 weight_filler { type: "constant" value: 2 } } }
  layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "t" top: "loss" }
  layer { name: "target" type: "DummyData" top: "t" dummy_data_param {
    shape { dim: 2 dim: 1 } data_filler { type: "constant" value: 1 } } } }
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, extra in (("a", 'state { level: 3 stage: "own" }'), ("b", ""), ("c", "")):
        (tmp_path / f"{name}.prototxt").write_text(NET.format(name=name, extra=extra))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plan(text: str, file: str = "s.prototxt"):
    return [(net.definition.param.name, "TEST" if net.state.phase else "TRAIN", net.state.level,
             list(net.state.stage)) for net in plan_nets(parse_solver(text, file))]


def test_states_are_merged(folder):
    assert plan('net: "a.prototxt" train_state { level: 1 stage: "t" }') == [
        ("a", "TRAIN", 1, ["own", "t"])]
    assert plan('net: "a.prototxt" test_iter: 1 test_iter: 2 test_interval: 5 test_state {} '
                'test_state { level: 4 stage: "x" stage: "y" }') == [
        ("a", "TRAIN", 3, ["own"]), ("a", "TEST", 3, ["own"]), ("a", "TEST", 4, ["own", "x", "y"])]


def test_order_of_test_nets(folder):
    inline = NET.format(name="in", extra="")
    assert [net[0] for net in plan(
        f'net: "a.prototxt" test_net: "b.prototxt" test_net_param {{ {inline} }} '
        "test_iter: 1 test_iter: 1 test_iter: 1 test_iter: 1 test_interval: 1")] == [
        "a", "in", "b", "a", "a"]
    assert [net[0] for net in plan('train_net: "c.prototxt" test_net: "b.prototxt" test_iter: 1 '
                                   "test_interval: 1")] == ["c", "b"]


def test_inline_nets_are_upgraded(folder):
    """Unlike in Caffe, which builds an empty net from old-style layers given inline."""
    (train,) = plan_nets(parse_solver(
        'net_param { layers { name: "x" type: RELU bottom: "i" top: "o" } }'))
    assert [layer.param.type for layer in train.definition.layers] == ["ReLU"]


def test_level_and_stages_of_the_command_line(folder):
    solver = with_state(parse_solver('net: "a.prototxt" train_state { level: 1 stage: "t" }'), 7,
                        ["", "c"])
    (train,) = plan_nets(solver)
    # No empty stage is added, which no rule could match.
    assert (train.state.level, list(train.state.stage)) == (7, ["own", "t", "c"])


def test_nets_beside_the_solver_are_found(folder, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert plan('net: "b.prototxt"', str(folder / "s.prototxt"))[0][0] == "b"


@pytest.mark.parametrize(("text", "message"), [
    ("", "names no train net"),
    ('net: "a.prototxt" train_net: "b.prototxt"', "several train nets"),
    ('net: "absent.prototxt"', r"named at s.prototxt:1:1"),
    ('net: "a.prototxt" test_iter: 1', "test_interval"),
    ('net: "a.prototxt" test_net: "b.prototxt" test_interval: 1', "test_iter"),
    ('train_net: "a.prototxt" test_net: "b.prototxt" test_iter: 1 test_iter: 1', "test_iter"),
    ('net: "a.prototxt" test_iter: 1 test_iter: 1 test_interval: 1 test_state {}', "test_state")])
def test_refused(folder, text, message):
    with pytest.raises(PrototxtError, match=message):
        plan(text)


@pytest.mark.parametrize(("text", "message"), [
    ("average_loss: 0", "average_loss"), ("iter_size: 0", "iter_size"),
    ('regularization_type: "L3"', "L2, L1"), ("snapshot: 5", "snapshot_prefix"),
    ("max_iter: -1", "max_iter")])
def test_fields_out_of_range(text, message):
    with pytest.raises(PrototxtError, match=message) as error:
        Solver(parse_solver(BASE + SUM + text, "s.prototxt"))
    assert str(error.value).startswith("s.prototxt:")


def ordered(text: str) -> str:
    """Put the target before the loss that reads it."""
    start = text.index('  layer { name: "loss"')
    end = text.index('  layer { name: "target"')
    return text[:start] + text[end:].rstrip().removesuffix("}") + text[start:end] + "}\n"


@pytest.mark.parametrize("iter_size", [1, 3])
def test_one_step_in_closed_form(iter_size):
    """y = 6, t = 1: dL/dy = 5 / 2 each, dL/dw = 5, dL/db = 5; decay adds 0.1 · w to both."""
    solver = Solver(parse_solver(BASE + ordered(SUM) + f"iter_size: {iter_size} "
                                 "weight_decay: 0.1 momentum: 0.5"))
    solver.step(1)
    np.testing.assert_allclose(solver.net.params["ip"][0].host_data, np.full((1, 3), 2 - 0.52))
    np.testing.assert_allclose(solver.net.params["ip"][1].host_data, [-0.5], rtol=1e-6)
    assert solver.losses.mean == pytest.approx(12.5) and solver.iter == 1


def test_callbacks_come_at_their_places():
    solver, calls = Solver(parse_solver(BASE + ordered(SUM))), []
    blob = solver.net.params["ip"][0]
    solver.callbacks.append((lambda: calls.append(("start", float(blob.host_diff.sum()))),
                             lambda: calls.append(("gradients", float(blob.host_diff.sum())))))
    solver.step(1)
    assert calls == [("start", 0), ("gradients", 15)]


def test_divergence_names_iteration_layer_and_blob():
    solver = Solver(parse_solver(BASE + ordered(SUM)))
    solver.step(2)
    solver.net.params["ip"][1].host_data[0] = np.nan
    with pytest.raises(DivergedError, match=r"iteration 2: the loss became nan.*layer 'ip'"):
        solver.step(1)
    assert solver.iter == 2


def test_bad_data_are_not_blamed_on_the_learning_rate():
    solver = Solver(parse_solver(BASE + ordered(SUM)))
    solver.net.layers[0].forward = lambda bottom, top: top[0].host_data.fill(np.nan)
    with pytest.raises(DivergedError, match="The data that this layer reads") as error:
        solver.step(1)
    assert "base_lr" not in str(error.value)


def test_weights_are_loaded_into_all_nets(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    text = BASE + ordered(SUM) + "test_iter: 1 test_interval: 9 "
    solver = Solver(parse_solver(text))
    solver.net.params["ip"][0].host_data[...] = 7
    solver.net.save("w.caffemodel")
    Solver(parse_solver(BASE + ordered(SUM).replace('"ip"', '"other"'))).net.save("o.caffemodel")
    other = Solver(parse_solver(text + 'weights: "w.caffemodel , w.caffemodel" ', "s.prototxt"))
    for net in (other.net, other.test_nets[0]):
        assert (net.params["ip"][0].host_data == 7).all()
    assert "these layers have the values" not in caplog.text
    with pytest.raises(WeightsError, match="got other, wanted ip"):
        Solver(parse_solver(text + 'weights: "o.caffemodel" ', "s.prototxt"))
    wide = text.replace("num_output: 1", "num_output: 2").replace("dim: 2 dim: 1", "dim: 2 dim: 2")
    with pytest.raises(WeightsError, match="Rename the layer"):
        Solver(parse_solver(wide + 'weights: "w.caffemodel"'))


def test_a_seed_repeats_a_run(tmp_path, monkeypatch):
    from .tiny import make_task
    monkeypatch.chdir(tmp_path)
    results = []
    for seed in (11, 11, 12):
        definition = read_solver(make_task(tmp_path))
        definition.param.random_seed = seed
        solver = Solver(definition)
        solver.step(4)
        results.append([blob.host_data.copy() for blob in solver.net.learnable_params])
        solver.close()
    np.testing.assert_equal(results[0], results[1])
    assert not np.array_equal(results[0][0], results[2][0])


def test_a_net_that_is_missing_is_looked_for_beside_the_solver_too(tmp_path):
    (tmp_path / "train.prototxt").write_text(SUM)
    with pytest.raises(PrototxtError, match=r"no such file \(named at .*there is 'train.prototxt'"):
        Solver(parse_solver(BASE + 'net: "trian.prototxt"', str(tmp_path / "s.prototxt")))


def test_a_net_without_a_loss_is_refused():
    with pytest.raises(NetError, match="has no loss"):
        Solver(parse_solver(BASE + 'net_param { layer { name: "x" type: "DummyData" top: "x" '
                            "dummy_data_param { shape { dim: 1 } } } }"))
