"""What definitions say about the preparation of pictures."""
import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.layer_types.common.transformation import is_stated, read_preprocessing
from caffe_lrcn.proto.caffe_pb2 import TEST, TRAIN
from caffe_lrcn.proto.text import parse_net


def layer(text, kind="Input"):
    (definition,) = parse_net(f'layer {{ name: "data" type: "{kind}" top: "data" {text} }}').layers
    return definition


@pytest.mark.parametrize("kind", ["Input", "ImageData"])
def test_a_definition_says_it(kind):
    found = read_preprocessing(layer(
        "transform_param { crop_size: 4 mean_value: 3 scale: 0.5 mirror: true } image_data_param { "
        "new_height: 6 new_width: 5 min_height: 2 min_width: 3 is_color: false }", kind), TRAIN)
    assert (found.new_size, found.min_size, found.color) == ((6, 5), (2, 3), False)
    assert found.transform.crop_size == 4 and found.transform.mean.tolist() == [3]
    assert found.transform.scale == 0.5 and found.transform.mirror
    assert found.transform.phase == TRAIN and found.shape() == (1, 4, 4)


@pytest.mark.parametrize("text, stated, shape", [
    ("", False, None), ("transform_param { }", True, None),
    ("transform_param { crop_size: 7 }", True, (3, 7, 7)),
    ("image_data_param { new_height: 6 new_width: 5 }", True, (3, 6, 5))])
def test_what_is_left_open(text, stated, shape):
    definition = layer(text)
    assert is_stated(definition.param) == stated
    assert read_preprocessing(definition, TEST).shape() == shape


@pytest.mark.parametrize("text, message", [
    ("image_data_param { new_height: 6 }", "'data': new_height and new_width go together"),
    ("image_data_param { min_width: 6 }", "min_height and min_width go together"),
    ('transform_param { mean_value: 1 mean_file: "x" }', "'data': mean_file and mean_value"),
    ('transform_param { mean_file: "none.binaryproto" }', "none.binaryproto")])
def test_definitions_that_make_no_sense(text, message):
    with pytest.raises(DataError, match=message):
        read_preprocessing(layer(text), TEST)
