"""``--set``: fields of layers by name, and what it says about wrong keys."""
from __future__ import annotations

import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.cli.overrides import apply_overrides
from caffe_lrcn.errors import UsageError
from caffe_lrcn.proto.text import parse_solver
from caffe_lrcn.solver.nets import plan_nets

SOLVER = """base_lr: 0.1 lr_policy: "fixed" test_iter: 1 test_interval: 5
net_param {
  layer { name: "data" type: "DummyData" top: "x" dummy_data_param { shape { dim: 4 dim: 3 } } }
  layer { name: "a.b/c" type: "InnerProduct" bottom: "x" top: "y"
          inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
}
"""


def layers(*settings: str):
    """Return the layers of the train net and of the test net after settings."""
    solver = parse_solver(SOLVER, "s")
    apply_overrides(solver, settings)
    return [plan.definition.layers for plan in plan_nets(solver)]


@pytest.mark.parametrize("key", ["num_output", "inner_product_param.num_output"])
def test_a_field_of_a_layer_is_replaced_in_all_nets(key):
    for net in layers(f"layer.a.b/c.{key}=7"):
        assert net[1].param.inner_product_param.num_output == 7
        assert net[1].param.inner_product_param.weight_filler.type == "xavier"


def test_a_field_of_the_layer_itself():
    assert [net[1].param.type for net in layers("layer.a.b/c.type=ReLU")] == ["ReLU"] * 2


@pytest.mark.parametrize("setting, parts", [
    ("net.batch_size=3", ["net is the name of a file", "--set layer.data.batch_size=3"]),
    ("batch_size=3", ["has no field 'batch_size'", "--set layer.data.batch_size=3"]),
    ("layer.dato.batch_size=3", ["has no layer of this name", "Did you mean 'data'?"]),
    ("layer.data.batch_size=3", ["layer 'data' has no fields 'batch_size'"]),
    ("layer.a.b/c.num_output=much", ["wanted an integer"]),
])
def test_wrong_settings_say_what_to_write(setting, parts):
    with pytest.raises(UsageError) as caught:
        layers(setting)
    assert str(caught.value).startswith(f"--set {setting}: ")
    assert all(part in str(caught.value) for part in parts)


def two_test_nets(*settings: str):
    solver = parse_solver(SOLVER.replace("test_iter: 1", """test_iter: 20 test_iter: 30
        test_state { stage: "a" } test_state { stage: "b" }"""), "s")
    apply_overrides(solver, settings)
    return list(solver.param.test_iter), len(plan_nets(solver)) - 1


@pytest.mark.parametrize("setting, numbers", [
    ("test_iter=1", [1, 1]), ("test_iter=3,4", [3, 4]), ("base_lr=1", [20, 30])])
def test_one_test_iter_counts_for_every_test_net(setting, numbers):
    assert two_test_nets(setting) == (numbers, 2)


def test_interval_0_leaves_the_test_nets_out():
    assert two_test_nets("test_interval=0") == ([], 0)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text("""layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 } } }
        layer { name: "p" type: "Power" bottom: "x" top: "y" power_param { shift: 1 } }""")
    return str(path)


def test_commands_without_a_solver_take_fields_of_layers(model, capsys):
    assert main(["time", "--model", model, "--iterations", "1", "--set", "layer.p.shift=2"]) == 0
    assert main(["time", "--model", model, "--set", "layer.p.power=two"]) == 1
    assert "--set layer.p.power=two: wrong value" in capsys.readouterr().err
    assert main(["time", "--model", model, "--set", "base_lr=2"]) == 1
    assert "layer.NAME.FIELD=VALUE" in capsys.readouterr().err
