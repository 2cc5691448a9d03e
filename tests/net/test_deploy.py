"""What pictures go through on their way into a deployed net."""
import logging

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import DataError, ShapeError, UsageError
from caffe_lrcn.layer_types.common.transformation import is_stated, read_preprocessing
from caffe_lrcn.net.deploy import input_preprocessing
from caffe_lrcn.net.net import Net
from caffe_lrcn.paths import resolve
from caffe_lrcn.proto.caffe_pb2 import TEST
from caffe_lrcn.proto.text import parse_net, read_net


def net(stated="", shape="dim: 2 dim: 3 dim: 227 dim: 227"):
    text = (f'layer {{ name: "data" type: "Input" top: "data" input_param {{ shape {{ {shape} }} }}'
            f' {stated} }} layer {{ name: "x" type: "Power" bottom: "data" top: "x" }}')
    return Net(parse_net(text), get_backend("cpu"), phase=TEST)


STATED = ("transform_param { crop_size: 227 mean_value: 1 } "
          "image_data_param { new_height: 240 new_width: 320 }")


def facts(found):
    assert found.transform.phase == TEST and not found.transform.mirror
    return found.new_size, found.transform.crop_size, found.transform.mean.tolist()


def test_what_the_input_states_counts(caplog):
    assert facts(input_preprocessing(net(STATED))) == ((240, 320), 227, [1])
    assert not caplog.records


def test_what_is_assumed_is_said(caplog):
    with caplog.at_level(logging.INFO, "caffe_lrcn"):
        assert facts(input_preprocessing(net())) == ((256, 256), 227, [104, 117, 123])
        (record,) = [record for record in caplog.records if "assumed" in record.getMessage()]
    assert "layer 'data' does not say how pictures are prepared" in record.getMessage()
    assert "256 x 256" in record.getMessage() and "--resize" in record.getMessage()
    assert "104, 117, 123" in record.getMessage() and "--mean" in record.getMessage()


def test_flags_are_stronger_and_leave_less_to_assume(caplog):
    assert facts(input_preprocessing(net(STATED), 300, (1, 2, 3))) == ((300, 300), 227, [1, 2, 3])
    assert facts(input_preprocessing(net(), 300, (1, 2, 3))) == ((300, 300), 227, [1, 2, 3])
    assert not caplog.records
    input_preprocessing(net(), resize=300)
    assert "--mean" in caplog.text and "--resize" not in caplog.text


def test_fields_without_a_layer(caplog):
    definition = parse_net('input: "data" input_shape { dim: 1 dim: 3 dim: 12 dim: 12 } '
                           'layer { name: "x" type: "Power" bottom: "data" top: "x" }')
    found = input_preprocessing(Net(definition, get_backend("cpu"), phase=TEST))
    assert facts(found) == ((13, 13), 12, [104, 117, 123]) and "assumed" in caplog.text


@pytest.mark.parametrize("made, flags, kind, message", [
    (lambda: net(), (226,), UsageError, "less than the net's input"),
    (lambda: net(shape="dim: 1 dim: 3 dim: 8 dim: 9"), (), ShapeError, "not take square colour"),
    (lambda: net(shape="dim: 1 dim: 3"), (), ShapeError, "not take square colour"),
    (lambda: net(STATED, "dim: 1 dim: 1 dim: 227 dim: 227"), (), ShapeError,
     r"do not fit the net's input \(got \(3, 227, 227\), wanted \(1, 227, 227\)"),
    (lambda: net(), (None, (1, 2)), DataError, "mean values do not fit"),
    (lambda: net(STATED.replace("240", "200")), (), DataError, "smaller than the crop")])
def test_what_cannot_be(made, flags, kind, message):
    with pytest.raises(kind, match=message):
        input_preprocessing(made(), *flags)


@pytest.mark.parametrize("deployed, trained", [
    ("lrcn_image_deploy", "lrcn"), ("captioning/caffenet.deploy", "captioning/lrcn"),
    ("captioning/vgg16.deploy", "captioning/lrcn.vgg"), ("zoo/googlenet/deploy", None),
    ("zoo/alexnet/deploy", None), ("zoo/caffenet/deploy", None), ("zoo/vgg16/deploy", None),
    ("zoo/flickr_style/deploy", None), ("zoo/lenet/deploy", None), ("zoo/siamese/deploy", None)])
def test_our_deploy_nets_state_what_their_training_does(deployed, trained):
    (given,) = [layer for layer in read_net(resolve(f"prototxt/{deployed}.prototxt")).layers
                if layer.param.type == "Input"]
    assert is_stated(given.param)
    found = read_preprocessing(given, TEST)
    assert found.shape() == tuple(given.param.input_param.shape[0].dim)[1:]
    if trained is None:
        return
    definition = read_net(resolve(f"prototxt/{trained}.prototxt"))
    layers = [layer for layer in definition.layers if layer.param.type == "ImageData"]
    assert layers
    for layer in layers:
        wanted = read_preprocessing(layer, TEST)
        assert (found.new_size, found.min_size, found.color) == (
            wanted.new_size, wanted.min_size, wanted.color)
        assert found.transform.crop_size == wanted.transform.crop_size
        assert found.transform.scale == wanted.transform.scale
        np.testing.assert_array_equal(found.transform.mean, wanted.transform.mean)
