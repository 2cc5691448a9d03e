"""From names to a graph, and what is refused on the way."""
import pytest

from caffe_lrcn.errors import NetError, PrototxtError
from caffe_lrcn.net.connect import AUTOMATIC, connect
from caffe_lrcn.net.splits import insert_splits
from caffe_lrcn.proto.text import parse_net

IN = 'layer { name: "in" type: "Input" top: "x" top: "t" }\n'


def graph(text):
    return connect(insert_splits(parse_net(text, "n.prototxt").layers))


def test_outputs_are_alphabetical_and_inputs_in_order():
    result = graph('layer { name: "in" type: "Input" top: "z" top: "b" }'
                   'layer { name: "r" type: "ReLU" bottom: "z" top: "a" }')
    assert result.inputs == ("z", "b")
    assert result.outputs == ("a", "b")


def test_in_place_layers_share_one_blob():
    result = graph(IN + 'layer { name: "r" type: "ReLU" bottom: "x" top: "x" }')
    assert result.vertices[1].bottoms == result.vertices[1].tops
    assert result.blob_names == ("x", "t")


def test_a_loss_without_tops_gets_an_anonymous_one_with_weight_1():
    result = graph(IN + 'layer { name: "l" type: "EuclideanLoss" bottom: "x" bottom: "t" }')
    assert result.blob_names[-1] == AUTOMATIC
    assert result.vertices[-1].loss_weights == (1.0,)
    assert result.outputs == ()


def test_an_explicit_zero_weight_is_kept():
    result = graph(IN + 'layer { name: "l" type: "EuclideanLoss" bottom: "x" bottom: "t" top: "l"'
                   ' loss_weight: 0 }')
    assert result.vertices[-1].loss_weights == (0.0,)


@pytest.mark.parametrize("text, kind, message", [
    ('layer { name: "c" type: "Convolutoin" bottom: "x" top: "y" }', PrototxtError,
     r"n\.prototxt:2:\d+: layer 'c': unknown layer type 'Convolutoin'.*'Convolution'"),
    ('layer { name: "c" bottom: "x" top: "y" }', PrototxtError,
     r"n\.prototxt:2:\d+: layer 'c': the layer has no type"),
    ('layer { name: "c" type: "PriorBox" bottom: "x" top: "y" }', PrototxtError, "SSD"),
    ('layer { name: "c" type: "ReLU" bottom: "x" bottom: "t" top: "y" }', NetError,
     r"number of bottoms \(got 2, wanted 1\)"),
    ('layer { name: "c" type: "ReLU" bottom: "x" top: "t" }', NetError, "several layers"),
    ('layer { name: "c" type: "Flatten" bottom: "x" top: "x" }', NetError, "in place"),
    ('layer { name: "c" type: "ReLU" bottom: "x" top: "y" loss_weight: 1 loss_weight: 2 }',
     PrototxtError, "loss_weight must be given once per top"),
    ('layer { name: "c" type: "SoftmaxWithLoss" bottom: "x" bottom: "t" top: "l" top: "p" }',
     PrototxtError, r"once per top \(got 0 weights, wanted 2\)"),
    ('layer { name: "c" type: "Convolution" bottom: "x" bottom: "t" top: "y" }', NetError,
     "one top per bottom"),
    ('layer { name: "a" type: "TanH" bottom: "x" top: "y" }'
     'layer { name: "c" type: "ReLU" bottom: "x" top: "x" }', NetError, "another layer reads"),
])
def test_what_is_refused(text, kind, message):
    with pytest.raises(kind, match=message):
        graph(IN + text)
