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


def test_commands_that_look_at_a_net_take_them_too(model, tmp_path, capsys):
    assert main(["summary", model, "--set", "layer.in.shape={dim: 7}"]) == 0
    assert " 7 " in capsys.readouterr().out
    assert main(["draw", model, "-", "--set", "layer.p.type=AbsVal"]) == 0
    assert "AbsVal" in capsys.readouterr().out
    assert main(["check", model, "--set", "layer.p.type=Powr"]) == 1
    assert "Did you mean 'Power'?" in capsys.readouterr().out
    for command in (["summary", model], ["draw", model, "-"], ["check", model]):
        assert main([*command, "--set", "layer.q.shift=2"]) == 1
        message = capsys.readouterr().err
        assert "net.prototxt has no layer of this name" in message
        assert main([*command, "--set", "base_lr=2"]) == 1
        assert "layer.NAME.FIELD=VALUE" in capsys.readouterr().err


@pytest.fixture
def two_nets(tmp_path):
    """A solver whose train net alone has layer 'ip', and the two nets."""
    data = """layer { name: "d" type: "DummyData" top: "x" top: "t" dummy_data_param {
              shape { dim: 4 dim: 3 } shape { dim: 4 dim: 2 } } }"""
    ip = """layer { name: "%s" type: "InnerProduct" bottom: "x" top: "y"
            inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
            layer { name: "l" type: "EuclideanLoss" bottom: "y" bottom: "t" top: "l" }"""
    (tmp_path / "train.prototxt").write_text(data + ip % "ip")
    (tmp_path / "test.prototxt").write_text(data + ip % "other")
    solver = tmp_path / "solver.prototxt"
    solver.write_text("""train_net: "train.prototxt" test_net: "test.prototxt" test_iter: 1
        test_interval: 5 base_lr: 0.1 lr_policy: "fixed" max_iter: 1 solver_mode: CPU""")
    return solver


def test_one_of_several_nets_may_lack_the_layer(two_nets, caplog):
    solver = parse_solver(two_nets.read_text(), str(two_nets))
    apply_overrides(solver, ["layer.ip.num_output=7"])
    train, test = plan_nets(solver)
    assert train.definition.layers[1].param.inner_product_param.num_output == 7
    assert test.definition.layers[1].param.inner_product_param.num_output == 2
    message = caplog.text
    assert "train.prototxt; " in message and "test.prototxt has no layer of this name" in message


def test_all_nets_may_not(two_nets):
    solver = parse_solver(two_nets.read_text(), str(two_nets))
    apply_overrides(solver, ["layer.ipp.num_output=7"])
    with pytest.raises(UsageError, match=r"train.prototxt, .*test.prototxt have no.*mean 'ip'\?"):
        plan_nets(solver)


def test_check_changes_the_nets_of_a_solver(two_nets, capsys, caplog):
    assert main(["check", str(two_nets), "--set", "layer.ip.num_output=5"]) == 1
    said = capsys.readouterr().out
    assert "train.prototxt:4:" in said and "layer 'ip'" in said
    assert "test.prototxt has no layer" in caplog.text
    assert main(["check", str(two_nets), "--set", "layer.ipp.num_output=5"]) == 1
    assert "Did you mean 'ip'?" in capsys.readouterr().err
