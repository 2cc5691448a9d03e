"""Nets that newcomers write: each error says where, why, and what to write instead."""
from __future__ import annotations

import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import CaffeError
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net

DATA = """layer { name: "data" type: "DummyData" top: "data" top: "label" dummy_data_param {
    shape { dim: 4 dim: 6 } shape { dim: 4 }
    data_filler { type: "gaussian" } data_filler { type: "constant" value: 9 } } }
"""
IP = """layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
    inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
"""


def refusal(text: str) -> str:
    """Return the error of building and running a net."""
    with pytest.raises(CaffeError) as caught:
        Net(parse_net(text, "f"), get_backend("cpu"), phase=0).forward()
    return str(caught.value)


def layer(kind: str, bottoms: str, rest: str = "") -> str:
    """Return a layer on some bottoms."""
    named = " ".join(f'bottom: "{blob}"' for blob in bottoms.split())
    return f'layer {{ name: "x" type: "{kind}" {named} top: "x" {rest} }}\n'


@pytest.mark.parametrize("kind", ["SoftmaxWithLoss", "Accuracy", "HingeLoss",
                                  "MultinomialLogisticLoss"])
def test_swapped_scores_and_labels(kind):
    message = refusal(DATA + IP + layer(kind, "label ip"))
    assert message.startswith("f:6:") and "layer 'x'" in message
    assert "(got (4,) and (4, 5))" in message and "write the scores first" in message


def test_pictures_for_labels_are_not_called_swapped():
    message = refusal(DATA + IP + IP.replace('"ip"', '"big"').replace("5", "7")
                      + layer("SoftmaxWithLoss", "ip big"))
    assert "there must be one label for each prediction" in message and "swapped" not in message


@pytest.mark.parametrize("kind", ["EuclideanLoss", "SigmoidCrossEntropyLoss"])
def test_class_labels_for_a_loss_of_numbers(kind):
    message = refusal(DATA + IP + layer(kind, "ip label"))
    assert 'looks like a class label: use type: "SoftmaxWithLoss"' in message
    assert message.startswith("f:6:")


def test_two_data_layers_without_a_phase():
    message = refusal(DATA + DATA.replace('name: "data"', 'name: "test"'))
    assert "'data' at f:1:1 makes it already" in message
    assert "include { phase: TRAIN } in the first, include { phase: TEST }" in message


def test_a_top_that_is_there_already_names_the_layer_that_makes_it():
    message = refusal(DATA + IP + IP.replace('name: "ip"', 'name: "ip2"'))
    assert message.startswith("f:6:") and "layer 'ip2'" in message
    assert "'ip' at f:4:1 makes it already. Rename the top" in message


def test_one_layer_with_two_tops_of_one_name():
    message = refusal(DATA + 'layer { name: "s" type: "Slice" bottom: "data" top: "a" top: "a" }')
    assert "Give each top a name of its own" in message


@pytest.mark.parametrize("kind", ["LSTM", "RNN", "GRU"])
def test_a_recurrent_layer_without_cont(kind):
    message = refusal(DATA + layer(kind, "data", "recurrent_param { num_output: 3 }"))
    assert "wrong number of bottoms (got 1" in message and "cont (T x N" in message


@pytest.mark.parametrize("kind", ["LSTM", "RNN", "GRU"])
def test_a_recurrent_layer_whose_input_is_not_reshaped(kind):
    message = refusal(DATA + layer(kind, "data label", "recurrent_param { num_output: 3 }"))
    assert "Reshape layer in front: reshape_param { shape { dim: T dim: N dim: -1 } }" in message


@pytest.mark.parametrize("kind, message, bottoms, field", [
    ("InnerProduct", "inner_product_param", "data", "num_output"),
    ("Convolution", "convolution_param", "data", "num_output"),
    ("Deconvolution", "convolution_param", "data", "num_output"),
    ("Embed", "embed_param", "label", "num_output"),
    ("LSTM", "recurrent_param", "data label", "num_output")])
def test_a_missing_size(kind, message, bottoms, field):
    text = refusal(DATA + layer(kind, bottoms))
    assert f"{field} is missing. Write {message} {{ {field}: … }}" in text
    assert text.startswith("f:4:1: layer 'x'")


def test_a_size_in_the_message_of_another_type():
    message = refusal(DATA + layer("InnerProduct", "data", "convolution_param { num_output: 5 }"))
    assert "InnerProduct reads inner_product_param, and this is convolution_param" in message


def test_a_size_of_zero_has_its_line():
    message = refusal(DATA + layer("InnerProduct", "data",
                                   "\n inner_product_param { num_output: 0 }"))
    assert message.startswith("f:5:") and "num_output must be positive (got 0)" in message


def test_an_unknown_filler_names_the_nearest():
    message = refusal(DATA + IP.replace("xavier", "xaver"))
    assert "unknown filler (got 'xaver'" in message and "Did you mean 'xavier'?" in message
    assert message.startswith("f:4:")


@pytest.mark.parametrize("kind", ["SoftmaxWithLoss", "Accuracy"])
def test_more_labels_than_classes(kind):
    message = refusal(DATA + IP + layer(kind, "ip label"))
    assert "got 9, wanted 0 to 4" in message and "Set num_output of the layer below" in message


def test_a_layer_that_another_stage_brings_is_named():
    text = (DATA + IP.replace('top: "ip"', 'top: "ip" include { stage: "a" }')
            + layer("ReLU", "ip"))
    message = refusal(text)
    assert "unknown bottom blob 'ip'" in message
    assert "It is made by layer 'ip' (4:1), left out here: stage 'a' is not set" in message


def test_stages_that_exclude_each_other():
    text = DATA + "".join(IP.replace('"data"', f'"data" include {{ stage: "{stage}" }}')
                          for stage in ("1-layer", "2-layer"))
    with pytest.raises(CaffeError) as caught:
        Net(parse_net(text, "f"), get_backend("cpu"), phase=0, stages=["1-layer", "2-layer"])
    assert "Each is there for its own stages, 1-layer and 2-layer" in str(caught.value)
    assert "--set train_state.stage=A,B" in str(caught.value)
