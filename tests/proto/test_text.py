"""Reading definitions from text: what is accepted, where things stand, what errors say."""
from __future__ import annotations

import math
import re

import pytest
from google.protobuf import text_format

from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import (
    Place,
    format_text,
    inline_net,
    net_from_message,
    parse_net,
    parse_solver,
    read_net,
    read_solver,
)

NET = """\
# A comment, with a "quote" and a { brace
name: 'net'
layer {
  name: "data"  type: "Input"; top: "data" top: "label",
  input_param: { shape < dim: [2, 3] > }
}
layer {
  name: "conv"
  bottom: "data"
  type: "Convo" 'lution'  # joined
  convolution_param {
    num_output: 0x10
    pad: [1, 2] pad: 3
    weight_filler { std: 1e-3f }
  }
}
"""


def error_of(text: str, parse=parse_net) -> PrototxtError:
    with pytest.raises(PrototxtError) as caught:
        parse(text, "net.prototxt")
    return caught.value


def test_positions_of_fields():
    net = parse_net(NET, "net.prototxt")
    data, conv = net.layers
    assert data.place.at() == "net.prototxt:3:1"
    assert data.place.at("top", 1) == "net.prototxt:4:44"
    assert data.place.at("input_param", "shape", 0, "dim", 1) == "net.prototxt:5:35"
    assert conv.place.at("convolution_param", "pad", 1) == "net.prototxt:13:14"
    assert conv.place.at("convolution_param", "pad", 2) == "net.prototxt:13:17"
    assert net.place.child("layer", 1).at("name") == conv.place.at("name") == "net.prototxt:8:3"


def test_unknown_paths_give_the_nearest_ancestor():
    net = parse_net(NET, "net.prototxt")
    conv = net.layers[1].place
    assert conv.at("convolution_param", "stride", 0) == "net.prototxt:11:3"
    assert conv.at("pooling_param", "pool") == conv.at() == "net.prototxt:7:1"
    assert net.place.at("state", "phase") == "net.prototxt"
    assert Place.nowhere("a program").at("layer", 0) == "a program"


def test_values_are_read():
    net = parse_net(NET).param
    assert net.name == "net"
    assert net.layer[1].type == "Convolution"
    conv = net.layer[1].convolution_param
    assert (conv.num_output, list(conv.pad)) == (16, [1, 2, 3])
    assert conv.weight_filler.std == pytest.approx(1e-3)


def test_layers_mirror_the_message():
    net = parse_net(NET)
    net.layers[1].param.name = "renamed"
    assert net.param.layer[1].name == "renamed"


@pytest.mark.parametrize("text, value", [
    ("true", True), ("True", True), ("t", True), ("1", True),
    ("false", False), ("False", False), ("f", False), ("0", False)])
def test_forms_of_bool(text, value):
    assert parse_net(f"force_backward: {text}").param.force_backward is value


@pytest.mark.parametrize("text, value", [
    ("1", 1.0), ("-.5", -0.5), (".5", 0.5), ("1.", 1.0), ("1e2", 100.0), ("2f", 2.0),
    ("inf", math.inf), ("-inf", -math.inf), ("infinity", math.inf)])
def test_forms_of_float(text, value):
    assert parse_solver(f"base_lr: {text}").param.base_lr == value


def test_nan_is_a_float():
    assert math.isnan(parse_solver("base_lr: nan").param.base_lr)


def test_forms_of_strings():
    assert parse_net(r'name: "a\tb\"c\x41\101é\\"').param.name == "a\tb\"cAAé\\"
    assert parse_net(r'name: "\xc3\xa9\7\47"').param.name == "é\x07'"


def test_enum_by_name_and_by_number():
    assert parse_net("state { phase: TRAIN }").param.state.phase == caffe_pb2.TRAIN
    assert parse_net("state { phase: 0 }").param.state.phase == caffe_pb2.TRAIN


def test_byte_order_mark_and_carriage_returns(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_bytes(b'\xef\xbb\xbfname: "x"\r\nlayer {\r\n}\r\n')
    net = read_net(path)
    assert net.param.name == "x"
    assert net.layers[0].place.at() == f"{path}:2:1"


@pytest.mark.parametrize("text, place, parts", [
    ('layer { nam: "x" }', "1:9", ["LayerParameter has no field 'nam'", "'name'"]),
    ('layer {\n  convolution_param { kernel: 3 }\n}', "2:23", ["'kernel'", "'kernel_size'"]),
    ('layer { type: Convolution }', "1:15", ["got 'Convolution'", "a string", "quotes"]),
    ('layer { convolution_param { num_output: "3" } }', "1:41", ["an integer", "Remove the quo"]),
    ('layer { convolution_param { num_output: -3 } }', "1:41", ["uint32"]),
    ('layer { convolution_param { num_output: 1.5 } }', "1:41", ["an integer"]),
    ('input_dim: 99999999999', "1:12", ["int32"]),
    ('layer { pooling_param { pool: MAXIMUM } }', "1:31", ["MAX, AVE, STOCHASTIC", "MAX?"]),
    ('layer { pooling_param { pool: "AVE" } }', "1:31", ["Write AVE, without quotes"]),
    ('state { phase: 7 }', "1:16", ["TRAIN, TEST"]),
    ('force_backward: yes', "1:17", ["true or false"]),
    ('layer {\n name: "a"\n name: "b"\n}', "3:2", ["takes one value", "line 2"]),
    ('layer { lrn_param {} lrn_param {} }', "1:22", ["takes one value"]),
    ('layer {\n  name: "a"\n', "3:1", ["'{' of line 1, column 7 is not closed"]),
    ('layer { name: "a" >', "1:19", ["is not closed", "got '>'"]),
    ('name: "a"\n}\n', "2:1", ["'}' closes nothing"]),
    ('layer { name: "a"\nlayer { }', "2:1", ["closing brace missing"]),
    ('name "a"', "1:6", ["colon"]),
    ('name: "a', "1:7", ["not closed on its line"]),
    ('name:', "1:6", ["the end of the file"]),
    ('layer: 3', "1:8", ["holds a message"]),
    ('layer { bottom: ["a" "b"; ] }', "1:25", ["list of 'bottom'"]),
    ('@', "1:1", ["a field name was expected"]),
    ('name: "a\\xZZ"', "1:7", ["valid escapes"]),
    ('name: "a" "C:\\data"', "1:11", ["valid escapes", "Write a backslash as \\\\"]),
    ('name: "\\400"', "1:7", ["valid escapes"]),
    ('name: "\\377"', "1:", ["utf-8"]),
    ('layer { clip_param { min: 1 } }', "1:9", ["'max' must be given"]),
])
def test_errors_say_where_and_what(text, place, parts):
    message = str(error_of(text))
    assert message.startswith(f"net.prototxt:{place}"), message
    for part in parts:
        assert part in message


@pytest.mark.parametrize("text, fork", [
    ("layer { roi_pooling_param { } }", "Faster R-CNN"),
    ("layer { lstm_param { } }", "CTPN"),
    ("layer { transform_param { resize_param { } } }", "SSD"),
    ("layer { bn_param { } }", "SegNet"),
])
def test_fields_of_forks_are_named(text, fork):
    assert fork in str(error_of(text))


def test_renamed_field_of_an_lrcn_branch():
    error = error_of("layer { recurrent_param { expose_hidden_state: true } }")
    assert "'expose_hidden'" in str(error)


def test_missing_file_names_similar_ones(tmp_path):
    (tmp_path / "train_val.prototxt").write_text("name: 'x'")
    with pytest.raises(PrototxtError, match="no such file.*'train_val.prototxt'"):
        read_net(tmp_path / "trainval.prototxt")
    with pytest.raises(PrototxtError, match="folder .*nowhere' does not exist"):
        read_net(tmp_path / "nowhere" / "net.prototxt")


@pytest.mark.parametrize("content, part", [
    (b"", "the file is empty"),
    (b" \n ", "the file is empty"),
    (b"\x89HDF\r\n\x1a\n rest", "an HDF5 file"),
    (b"\x0a\x03net\xa2\x06\x05\x0a\x03abc", "a binary .caffemodel"),
    (b"\x00\x01\x02\xff", "a binary file"),
    (b'name: "caf\xe9"\x01\n' + b"# padding\n" * 10, "a binary file"),
    ('name: "x"'.encode("utf-16"), "text in UTF-16, wanted a prototxt (text)). Save it as UTF-8"),
    (b'name: "x"\ncaf\xe9: 3\n', ":2:1: NetParameter has no field 'caf'"),
])
def test_files_that_are_no_text(tmp_path, content, part):
    path = tmp_path / "x.prototxt"
    path.write_bytes(content)
    with pytest.raises(PrototxtError, match=re.escape(part)) as caught:
        read_net(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("padding", [b"", b"# padding\n" * 500])
def test_bytes_that_are_not_utf_8_in_comments_and_strings(tmp_path, padding):
    path = tmp_path / "x.prototxt"
    path.write_bytes(padding + b'# caf\xe9 \xff\x80\nname: "caf\xe9" # \xc3\n'
                     b"layer { name: 'a' type: 'Input' top: 'a' }")
    assert read_net(path).param.name == "caf\N{REPLACEMENT CHARACTER}"


def test_a_folder_is_no_definition(tmp_path):
    with pytest.raises(PrototxtError, match="this is a folder"):
        read_net(tmp_path)


def test_net_from_message_leaves_the_message_alone():
    message = caffe_pb2.NetParameter(input=["data"])
    message.input_shape.add(dim=[1, 2])
    net = net_from_message(message, "a net in a program")
    assert net.layers[0].param.type == "Input"
    assert net.layers[0].place.at("top", 0) == "a net in a program"
    assert list(message.input) == ["data"] and not message.layer


def test_solver_prefix_defaults_to_its_file(tmp_path):
    path = tmp_path / "my_solver.prototxt"
    path.write_text("base_lr: 0.1")
    assert read_solver(path).param.snapshot_prefix == str(tmp_path / "my_solver")
    path.write_text(f'snapshot_prefix: "{tmp_path}"')
    assert read_solver(path).param.snapshot_prefix == str(tmp_path / "my_solver")
    path.write_text('snapshot_prefix: "elsewhere/x"')
    assert read_solver(path).param.snapshot_prefix == "elsewhere/x"
    assert not parse_solver("base_lr: 0.1").param.HasField("snapshot_prefix")


def test_inline_nets_are_upgraded_and_keep_their_place():
    solver = parse_solver('net_param {\n layers { name: "x" type: RELU }\n}\n'
                          'test_net_param { name: "a" }\ntest_net_param {\n  layer { }\n}\n', "s")
    net = inline_net(solver, "net_param")
    assert [layer.param.type for layer in net.layers] == ["ReLU"]
    assert net.layers[0].place.at("type") == "s:2:21"
    assert inline_net(solver, "test_net_param", 1).layers[0].place.at() == "s:6:3"


def test_format_text_writes_whole_floats_as_caffe_does():
    solver = caffe_pb2.SolverParameter(base_lr=1, gamma=0.1, power=-2, delta=1e-5, net="é 1.0")
    text = format_text(solver)
    assert text.split("\n")[:4] == ['base_lr: 1', 'gamma: 0.1', 'power: -2', 'net: "é 1.0"']
    assert text_format.Parse(text, caffe_pb2.SolverParameter()) == solver


def test_a_net_in_the_place_of_a_solver_and_the_reverse():
    with pytest.raises(PrototxtError, match="n.prototxt:1:1.*This looks like a net; a solver"):
        parse_solver('name: "x"', "n.prototxt")
    with pytest.raises(PrototxtError, match="s.prototxt:1:1.*looks like a solver definition"):
        parse_net('net: "x"', "s.prototxt")
