"""The seven field numberings of the LRCN family."""
from __future__ import annotations

import pytest

from caffe_lrcn.proto.caffemodel import read_wire
from caffe_lrcn.proto.dialects import DIALECTS, MIXED, UPSTREAM
from caffe_lrcn.proto.wire import encode_bytes

from .weight_bytes import layer_bytes, wire

LSTM = b"\x08\x05"             # RecurrentParameter.num_output: 5
EMBED = b"\x08\xe8\x07\x10\x09"  # EmbedParameter.num_output: 1000, input_dim: 9
RESHAPE = b"\x0a\x04\x0a\x02\x02\x03"  # ReshapeParameter.shape: 2 x 3
LAYOUTS = [(130, 131, 132), (131, 132, 133), (132, 133, 134), (137, 133, 138), (137, 133, 139),
           (137, 133, 140), (137, 133, 146)]


def net(embed: int, reshape: int, recurrent: int) -> bytes:
    return (layer_bytes("words", "Embed", embed, EMBED)
            + layer_bytes("shape", "Reshape", reshape, RESHAPE, blobs=())
            + layer_bytes("lstm", "LSTM", recurrent, LSTM))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_is_recognised_and_read(layout):
    file = read_wire(wire(net(*layout)))
    dialect = next(entry for entry in DIALECTS
                   if (entry.embed, entry.reshape, entry.recurrent) == layout)
    assert file.dialect == dialect.name
    words, shape, lstm = file.layers
    assert [(layer.name, layer.type) for layer in file.layers] == [
        ("words", "Embed"), ("shape", "Reshape"), ("lstm", "LSTM")]
    assert words.definition.embed_param.num_output == 1000
    assert list(shape.definition.reshape_param.shape.dim) == [2, 3]
    assert lstm.definition.recurrent_param.num_output == 5
    for layer in file.layers:  # and nothing is mistaken for another message
        assert [field.name for field, _ in layer.definition.ListFields()][2:] == [
            {"Embed": "embed_param", "Reshape": "reshape_param",
             "LSTM": "recurrent_param"}[layer.type]]
    assert len(words.blobs) == len(lstm.blobs) == 1


def test_no_evidence_means_upstream():
    assert read_wire(wire(layer_bytes("r", "ReLU", 123, b""))).dialect == UPSTREAM.name


def test_one_layer_can_be_enough():
    file = read_wire(wire(layer_bytes("x", "LSTM", 134, LSTM)))
    assert file.dialect == "recurrent-v3ish, lstm_video_deploy"


def test_contradicting_layers_are_read_one_by_one():
    data = layer_bytes("a", "LSTM", 134, LSTM) + layer_bytes("b", "LSTM", 140, LSTM)
    file = read_wire(wire(data))
    assert file.dialect == MIXED
    assert [layer.definition.recurrent_param.num_output for layer in file.layers] == [5, 5]


def test_scalar_of_the_recurrent_branch():
    file = read_wire(wire(layer_bytes("s", "Scalar", 139, b"\x08\x02")))
    assert file.layers[0].definition.scalar_param.axis == 2
    assert not file.layers[0].definition.HasField("batch_norm_param")


def test_messages_with_another_meaning_are_dropped():
    data = net(132, 133, 134) + layer_bytes("r", "ReLU", 137, b"\x08\x01")
    assert not read_wire(wire(data)).layers[-1].definition.HasField("embed_param")
    data = net(137, 133, 146) + layer_bytes("r", "ReLU", 137, b"\x08\x01")
    assert read_wire(wire(data)).layers[-1].definition.HasField("embed_param")


def test_parameters_that_do_not_parse_leave_name_type_and_blobs():
    data = encode_bytes(1, b"n") + layer_bytes("x", "LSTM", 140, b"\xff")
    (layer,) = read_wire(wire(data)).layers
    assert (layer.definition.name, layer.definition.type, len(layer.blobs)) == ("x", "LSTM", 1)
