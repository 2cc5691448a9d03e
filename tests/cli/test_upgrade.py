"""Rewriting old definitions: the command, the scripts, and the files they write."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.cli import main as cli
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.dialects import UPSTREAM
from caffe_lrcn.proto.text import format_text, parse_net
from caffe_lrcn.proto.weights_io import read_weights
from tests.proto.test_dialects import LAYOUTS
from tests.proto.test_dialects import net as dialect_net
from tests.proto.weight_bytes import GOLDEN, blob, layer_bytes

TOOLS = Path(__file__).resolve().parents[2] / "tools"
OLD, NEW = GOLDEN / "legacy" / "v1.prototxt", GOLDEN / "legacy" / "v1_upgraded.prototxt"
V0 = """
name: "v0" force_backward: true input: "x" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
layers { layer { name: "pad" type: "padding" pad: 1 } bottom: "x" top: "p" }
layers { layer { name: "conv" type: "conv" num_output: 4 kernelsize: 3 } bottom: "p" top: "c" }
layers { layer { name: "data" type: "data" source: "s" scale: 0.5 cropsize: 3 } top: "d" }
"""
V0_NOW = """
name: "v0" force_backward: true
layer { name: "input" type: "Input" top: "x"
  input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer { name: "conv" type: "Convolution" bottom: "x" top: "c"
  convolution_param { num_output: 4 pad: 1 kernel_size: 3 } }
layer { name: "data" type: "Data" top: "d" data_param { source: "s" }
  transform_param { scale: 0.5 crop_size: 3 } }
"""


@pytest.fixture
def files(tmp_path):
    """Write text or bytes to the input file; return its path and the output's."""
    def make(data) -> tuple[Path, Path]:
        source = tmp_path / "in"
        source.write_bytes(data if isinstance(data, bytes) else data.encode())
        return source, tmp_path / "out"
    return make


def upgrade(what, source, out) -> int:
    return cli.main(["upgrade", what, str(source), str(out)])


def message(text: str) -> caffe_pb2.NetParameter:
    return parse_net(text).param


# -- nets in text format -------------------------------------------------------------------


def test_v1_as_caffe_upgrades_it(tmp_path, capsys):
    assert upgrade("net", OLD, tmp_path / "out") == 0
    assert (tmp_path / "out").read_bytes() == NEW.read_bytes()
    assert "wrote" in capsys.readouterr().err


def test_today_s_form_is_written_as_it_is(tmp_path, capsys):
    assert upgrade("net", NEW, tmp_path / "out") == 0
    assert (tmp_path / "out").read_bytes() == NEW.read_bytes()
    assert "is in today's form already" in capsys.readouterr().err


def test_output_to_the_terminal_and_over_the_input(files, capsysbinary):
    source, _ = files(OLD.read_bytes())
    assert upgrade("net", source, "-") == 0
    assert capsysbinary.readouterr().out == NEW.read_bytes()
    assert upgrade("net", source, source) == 0
    assert source.read_bytes() == NEW.read_bytes()
    assert [path.name for path in source.parent.iterdir()] == ["in"], "nothing is left over"


@pytest.mark.parametrize(("old", "new"), [
    (V0, V0_NOW),
    ('input: "x" input_shape { dim: 2 }',
     'layer { name: "input" type: "Input" top: "x" input_param { shape { dim: 2 } } }'),
    ('layer { name: "b" type: "BatchNorm" param { lr_mult: 1 } param {} param {} }',
     'layer { name: "b" type: "BatchNorm" %s }' % ("param { lr_mult: 0 decay_mult: 0 } " * 3)),
], ids=["V0", "input", "batch norm"])
def test_every_old_form(old, new, files):
    for data in (old, binary(old)):
        source, out = files(data)
        assert upgrade("net", source, out) == 0
        text = out.read_bytes()
        got = (caffe_pb2.NetParameter.FromString(text) if isinstance(data, bytes)
               else message(text.decode()))
        assert got == message(new)


def binary(text: str) -> bytes:
    from google.protobuf import text_format
    return text_format.Parse(text, caffe_pb2.NetParameter()).SerializeToString()


# -- binary nets ---------------------------------------------------------------------------


def test_arrays_of_old_layers_come_along(files):
    net = caffe_pb2.NetParameter(name="n")
    net.layers.add(name="fc", type=caffe_pb2.V1LayerParameter.INNER_PRODUCT,
                   blobs=[blob([1.0, 2.0], num=1, channels=1, height=1, width=2)])
    source, out = files(net.SerializeToString())
    assert upgrade("net", source, out) == 0
    (layer,) = caffe_pb2.NetParameter.FromString(out.read_bytes()).layer
    assert layer.type == "InnerProduct" and layer.blobs[0] == net.layers[0].blobs[0]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_branches_layouts_become_today_s(layout, files, capsys):
    source, out = files(dialect_net(*layout))
    assert upgrade("net", source, out) == 0
    net = caffe_pb2.NetParameter.FromString(out.read_bytes())
    words, shape, lstm = net.layer
    assert words.embed_param.num_output == 1000 and words.blobs[0].data == [1.0, 2.0]
    assert list(shape.reshape_param.shape.dim) == [2, 3]
    assert lstm.recurrent_param.num_output == 5
    current = layout == (UPSTREAM.embed, UPSTREAM.reshape, UPSTREAM.recurrent)
    assert ("already" in capsys.readouterr().err) == current


def test_weights_of_the_recurrent_branch(files):
    source, out = files((GOLDEN / "legacy" / "era_recurrent.caffemodel").read_bytes())
    assert upgrade("net", source, out) == 0
    before, after = read_weights(source), read_weights(out)
    assert after.dialect == UPSTREAM.name != before.dialect
    for old, new in zip(before.layers, after.layers, strict=True):
        assert (old.name, old.type, old.definition) == (new.name, new.type, new.definition)
        for left, right in zip(old.blobs, new.blobs, strict=True):
            np.testing.assert_array_equal(left, right)
    assert upgrade("net", out, source) == 0
    assert source.read_bytes() == out.read_bytes(), "a second upgrade changes nothing"


def test_legacy_shapes_and_net_fields_stay(files):
    net = caffe_pb2.NetParameter(name="n", force_backward=True, input=["x"], input_dim=[1] * 4)
    net.layer.add(name="a", type="X", blobs=[blob([1.0], num=1, channels=1, height=1, width=1)])
    source, out = files(net.SerializeToString())
    assert upgrade("net", source, out) == 0
    got = caffe_pb2.NetParameter.FromString(out.read_bytes())
    assert (got.name, got.force_backward) == ("n", True)
    assert [layer.type for layer in got.layer] == ["Input", "X"]
    assert got.layer[1] == net.layer[0]
    assert out.read_bytes() == got.SerializeToString(), "fields stand in the order of numbers"


# -- solvers -------------------------------------------------------------------------------


def test_solver_types_become_strings(files, capsys):
    source, out = files('net: "n" base_lr: 0.5 solver_type: ADAM')
    assert upgrade("solver", source, out) == 0
    assert out.read_text() == 'base_lr: 0.5\nnet: "n"\ntype: "Adam"\n'
    capsys.readouterr()
    assert upgrade("solver", out, out) == 0
    assert "already" in capsys.readouterr().err


def test_binary_solvers_stay_binary(files):
    param = caffe_pb2.SolverParameter(train_net="a", test_net=["b"],
                                      solver_type=caffe_pb2.SolverParameter.NESTEROV)
    source, out = files(param.SerializeToString())
    assert upgrade("solver", source, out) == 0
    got = caffe_pb2.SolverParameter.FromString(out.read_bytes())
    assert (got.train_net, got.type, got.HasField("solver_type")) == ("a", "Nesterov", False)


@pytest.mark.parametrize("field", ["net_param", "train_net_param", "test_net_param"])
def test_nets_inside_solvers_are_upgraded(field, files):
    source, out = files(f'{field} {{ layers {{ name: "r" type: RELU }} }}')
    assert upgrade("solver", source, out) == 0
    assert out.read_text() == (
        f'{field} {{\n  layer {{\n    name: "r"\n    type: "ReLU"\n  }}\n}}\n')


# -- errors --------------------------------------------------------------------------------


@pytest.mark.parametrize(("what", "data", "code", "part"), [
    ("net", "layer {", 2, "in:1"),
    ("net", "", 2, "empty"),
    ("net", b"\x89PNG\r\n\x1a\n", 2, "PNG"),
    ("net", b"\x89HDF\r\n\x1a\n", 2, "no definitions"),
    ("net", b"\xa2\x06\x05\x01", 2, "damaged"),
    ("net", layer_bytes("a", "X")[:-3], 2, "damaged"),
    ("net", layer_bytes("a", "X", blobs=((1.0,),))[:-1] + b"\x07", 2, "1 values"),
    ("solver", b"\x00\x01\x02", 2, "damaged"),
    ("net", 'layers { name: "a" } layer { name: "b" }', 1, "mixed"),
    ("net", 'layers { layer { name: "a" type: "what" } }', 1, "what"),
    ("solver", 'type: "SGD" solver_type: SGD', 1, "both"),
])
def test_exit_codes(what, data, code, part, files, capsys):
    source, out = files(data)
    assert upgrade(what, source, out) == code
    assert part in capsys.readouterr().err
    assert not out.exists()


def test_missing_input_and_output(tmp_path, capsys):
    assert upgrade("net", tmp_path / "none", tmp_path / "out") == 2
    (tmp_path / "file").write_bytes(b"")
    assert upgrade("net", OLD, tmp_path / "file" / "out") == 1
    assert "cannot be written" in capsys.readouterr().err


# -- the scripts ---------------------------------------------------------------------------


@pytest.mark.parametrize("words", [[], ["a"], ["a", "b", "c"]])
def test_wrong_usage_of_a_script(words, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["upgrade_net_proto_text", *words])
    assert left.value.code == 1
    assert "usage: caffe-lrcn upgrade_net_proto_text" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "old", "new"), [
    ("net_proto_text", 'layers { name: "r" type: RELU }', 'layer {\n  name: "r"\n'
                                                          '  type: "ReLU"\n}\n'),
    ("net_proto_binary", b"\x12\x02\x28\x12", b"\xa2\x06\x06\x12\x04ReLU"),
    ("solver_proto_text", "solver_type: SGD", 'type: "SGD"\n')])
def test_scripts_under_caffe_s_names(name, old, new, files):
    source, out = files(old)
    done = subprocess.run([sys.executable, str(TOOLS / f"upgrade_{name}.py"), str(source),
                           str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert out.read_bytes() == (new if isinstance(new, bytes) else new.encode())


def test_text_is_what_our_own_parser_reads(files):
    source, out = files(V0)
    assert upgrade("net", source, out) == 0
    assert format_text(message(out.read_text())) == out.read_text()
