"""Splits: Caffe's names, since saved weights contain them, and moved loss weights."""
import pytest

from caffe_lrcn.errors import NetError
from caffe_lrcn.net.splits import insert_splits
from caffe_lrcn.proto.text import parse_net

IN = 'layer { name: "data" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }\n'


def split(text):
    return [layer.param for layer in insert_splits(parse_net(text).layers)]


def test_a_blob_with_one_consumer_is_left_alone():
    layers = split(IN + 'layer { name: "r" type: "ReLU" bottom: "x" top: "y" }')
    assert [p.name for p in layers] == ["data", "r"]
    assert layers[1].bottom == ["x"]


def test_two_consumers_get_caffes_names():
    layers = split(IN + 'layer { name: "a" type: "ReLU" bottom: "x" top: "y" }'
                   'layer { name: "b" type: "ReLU" bottom: "x" top: "z" }')
    assert [p.name for p in layers] == ["data", "x_data_0_split", "a", "b"]
    assert layers[1].top == ["x_data_0_split_0", "x_data_0_split_1"]
    assert layers[2].bottom == ["x_data_0_split_0"]
    assert layers[3].bottom == ["x_data_0_split_1"]


def test_the_last_in_place_producer_is_the_source():
    layers = split(IN + 'layer { name: "drop7" type: "Dropout" bottom: "x" top: "x" }'
                   'layer { name: "a" type: "ReLU" bottom: "x" top: "y" }'
                   'layer { name: "b" type: "ReLU" bottom: "x" top: "z" }')
    assert [p.name for p in layers] == ["data", "drop7", "x_drop7_0_split", "a", "b"]


def test_old_inputs_are_named_after_the_input_layer():
    layers = split('input: "x" input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 4 '
                   'layer { name: "a" type: "ReLU" bottom: "x" top: "y" }'
                   'layer { name: "b" type: "ReLU" bottom: "x" top: "z" }')
    assert layers[2].bottom == ["x_input_0_split_0"]


def test_a_loss_weight_counts_as_a_consumer_and_moves_to_output_0():
    layers = split(IN + 'layer { name: "r" type: "Reduction" bottom: "x" top: "l" loss_weight: 3 }'
                   'layer { name: "p" type: "Power" bottom: "l" top: "y" }')
    assert layers[2].name == "l_r_0_split"
    assert list(layers[2].loss_weight) == [3, 0]
    assert list(layers[1].loss_weight) == []
    assert layers[3].bottom == ["l_r_0_split_1"]


def test_what_still_needs_the_field_keeps_it():
    loss = split(IN + 'layer { name: "e" type: "EuclideanLoss" bottom: "x" bottom: "x" top: "l" '
                 'loss_weight: 3 } layer { name: "p" type: "Power" bottom: "l" top: "y" }')
    assert [list(p.loss_weight) for p in loss] == [[], [], [0], [3, 0], []]
    tops = split(IN + 'layer { name: "s" type: "Slice" bottom: "x" top: "a" top: "b" '
                 'loss_weight: 3 loss_weight: 4 } layer { name: "p" type: "Power" bottom: "a" '
                 'top: "y" }')
    assert [list(p.loss_weight) for p in tops] == [[], [0, 4], [3, 0], []]
    given = split(IN + 'layer { name: "a" type: "Power" bottom: "x" top: "y" loss_weight: 0 }')
    assert list(given[1].loss_weight) == [0]


def test_an_unknown_bottom_names_blob_layer_place_and_a_guess():
    with pytest.raises(NetError, match=r"n\.prototxt:2:\d+: layer 'r'.*'dta'.*mean 'data'"):
        insert_splits(parse_net('layer { name: "d" type: "Input" top: "data" }\n'
                                'layer { name: "r" type: "ReLU" bottom: "dta" top: "y" }',
                                "n.prototxt").layers)


def test_the_definition_is_not_changed():
    definition = parse_net(IN + 'layer { name: "a" type: "ReLU" bottom: "x" top: "y" }'
                           'layer { name: "b" type: "ReLU" bottom: "x" top: "z" }')
    insert_splits(definition.layers)
    assert [layer.param.bottom[:] for layer in definition.layers[1:]] == [["x"], ["x"]]
