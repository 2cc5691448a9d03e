"""Old forms of definitions become today's, and keep their places."""
from __future__ import annotations

from pathlib import Path

import pytest

from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import format_text, parse_net, parse_solver, read_net
from caffe_lrcn.proto.upgrade import V1_TYPES, upgrade_v1_layer, v1_type_name
from caffe_lrcn.proto.upgrade_v0 import V0_TYPES

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def only(text: str) -> caffe_pb2.LayerParameter:
    (layer,) = parse_net(text).layers
    return layer.param


def fails(text: str, part: str, parse=parse_net) -> None:
    with pytest.raises(PrototxtError) as caught:
        parse(text, "f")
    assert part in str(caught.value), str(caught.value)


# -- V1 ----------------------------------------------------------------------------------


def test_v1_net_as_caffe_upgrades_it():
    net = read_net(GOLDEN / "legacy" / "v1.prototxt")
    assert format_text(net.param) == (GOLDEN / "legacy" / "v1_upgraded.prototxt").read_text()
    assert [layer.param for layer in net.layers] == list(net.param.layer)
    place = net.layers[1].place
    assert place.at("convolution_param", "num_output").endswith("v1.prototxt:3:146")
    assert place.at("param", 0, "lr_mult").endswith("v1.prototxt:3:1")


def test_every_v1_type_has_a_name():
    names = caffe_pb2.V1LayerParameter.LayerType.keys()
    assert set(V1_TYPES) == set(names)
    assert v1_type_name(39) == "Deconvolution"
    assert v1_type_name(77) == "LayerType(77)"


def test_every_v1_submessage_is_carried_over():
    old = caffe_pb2.V1LayerParameter()
    names = [field.name for field in old.DESCRIPTOR.fields if field.name.endswith("_param")]
    for name in names:
        getattr(old, name).SetInParent()
    new = upgrade_v1_layer(old)
    assert len(names) > 25
    assert {name for name in names if new.HasField(name)} == set(names)


def test_v1_parameter_lists_of_different_lengths():
    layer = only('layers { type: INNER_PRODUCT param: "w" blobs_lr: 1 blobs_lr: 2 weight_decay: 3'
                 ' blob_share_mode: PERMISSIVE loss_weight: 0.5 }')
    first, second = layer.param
    assert (first.name, first.lr_mult, first.decay_mult) == ("w", 1, 3)
    assert first.share_mode == caffe_pb2.ParamSpec.PERMISSIVE
    assert second.lr_mult == 2
    assert not second.HasField("name") and not second.HasField("decay_mult")
    assert list(layer.loss_weight) == [0.5]


@pytest.mark.parametrize("type_name, param", [
    ("DATA", "data_param"), ("IMAGE_DATA", "image_data_param"),
    ("WINDOW_DATA", "window_data_param")])
def test_v1_data_layers_move_their_transformation(type_name, param):
    layer = only(f'layers {{ type: {type_name} {param} {{ source: "s" scale: 0.5 mean_file: "m" '
                 f'crop_size: 3 mirror: true }} }}')
    own, moved = getattr(layer, param), layer.transform_param
    assert own.source == "s"
    assert [name.name for name, _ in own.ListFields()] == ["source"]
    assert (moved.scale, moved.mean_file, moved.crop_size, moved.mirror) == (0.5, "m", 3, True)


def test_v2_data_layers_keep_transformation_fields_where_they_are():
    # CAFFE-QUIRK: only V1 layers are upgraded; in a V2 layer these fields have no effect.
    layer = only('layer { type: "Data" data_param { crop_size: 3 } }')
    assert layer.data_param.crop_size == 3
    assert not layer.HasField("transform_param")


def test_forms_must_not_be_mixed():
    fails("layer { }\nlayers { }", "f:2:1: 'layers' (old form) and 'layer'")
    fails('layers { layer { type: "relu" } }\nlayers { type: RELU }', "f:2:1: layers of two old")


# -- V0 ----------------------------------------------------------------------------------

V0_NET = """\
name: "old" input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
debug_info: true
layers { layer { name: "pad1" type: "padding" pad: 2 } bottom: "data" top: "pad1" }
layers {
  layer { name: "conv1" type: "conv" num_output: 4 kernelsize: 5 stride: 2 group: 1 biasterm: false
          weight_filler { type: "xavier" } blobs_lr: 1 blobs_lr: 2 weight_decay: 3 }
  bottom: "pad1" top: "conv1"
}
layers { layer { name: "pool1" type: "pool" kernelsize: 3 stride: 2 pool: AVE }
         bottom: "conv1" top: "pool1" }
layers { layer { name: "fc" type: "innerproduct" num_output: 7 } bottom: "pool1" top: "fc" }
layers { layer { name: "loss" type: "softmax_loss" } bottom: "fc" bottom: "label" }
"""


def test_v0_net():
    net = parse_net(V0_NET, "f")
    kinds = [layer.param.type for layer in net.layers]
    assert kinds == ["Input", "Convolution", "Pooling", "InnerProduct", "SoftmaxWithLoss"]
    conv = net.layers[1].param
    assert list(conv.bottom) == ["data"]
    own = conv.convolution_param
    assert (own.num_output, own.bias_term, own.group) == (4, False, 1)
    assert (list(own.pad), list(own.kernel_size), list(own.stride)) == ([2], [5], [2])
    assert own.weight_filler.type == "xavier"
    assert [(spec.lr_mult, spec.decay_mult) for spec in conv.param] == [(1, 3), (2, 1)]
    pool = net.layers[2].param.pooling_param
    assert (pool.kernel_size, pool.stride, pool.pool) == (3, 2, caffe_pb2.PoolingParameter.AVE)
    assert [layer.place.at() for layer in net.layers[1:3]] == ["f:4:1", "f:9:1"]
    assert net.layers[1].place.at("bottom", 0) == "f:7:3"


def test_v0_upgrade_drops_other_fields_of_the_net():
    # CAFFE-QUIRK: debug_info does not survive this upgrade; name and inputs do.
    net = parse_net(V0_NET).param
    assert net.name == "old" and not net.debug_info
    assert list(net.layer[0].top) == ["data"]


def test_v0_data_layer_routes():
    layer = only('layers { layer { name: "d" type: "images" source: "s" batchsize: 4 scale: 2 '
                 'meanfile: "m" cropsize: 5 mirror: true rand_skip: 6 shuffle_images: true '
                 'new_height: 7 new_width: 8 } top: "d" }')
    own, moved = layer.image_data_param, layer.transform_param
    assert layer.type == "ImageData"
    assert (own.source, own.batch_size, own.rand_skip, own.shuffle) == ("s", 4, 6, True)
    assert (own.new_height, own.new_width) == (7, 8)
    assert (moved.scale, moved.mean_file, moved.crop_size, moved.mirror) == (2, "m", 5, True)


@pytest.mark.parametrize("text, message, field, value", [
    ('type: "dropout" dropout_ratio: 0.25', "dropout_param", "dropout_ratio", 0.25),
    ('type: "lrn" local_size: 3', "lrn_param", "local_size", 3),
    ('type: "concat" concat_dim: 2', "concat_param", "concat_dim", 2),
    ('type: "window_data" det_crop_mode: "square"', "window_data_param", "crop_mode", "square"),
    ('type: "infogain_loss" source: "h"', "infogain_loss_param", "source", "h"),
    ('type: "hdf5_output" hdf5_output_param { file_name: "o" }', "hdf5_output_param",
     "file_name", "o"),
])
def test_v0_fields_of_single_types(text, message, field, value):
    layer = only(f"layers {{ layer {{ {text} }} }}")
    assert getattr(getattr(layer, message), field) == value


def test_every_v0_type_is_a_v1_type():
    for name in V0_TYPES:
        assert only(f'layers {{ layer {{ type: "{name}" }} }}').type


def test_v0_errors():
    fails('layers { layer { type: "convolution" } }', "f:1:18: unknown V0 layer type")
    fails('layers { layer { name: "r" type: "relu" num_output: 3 } }',
          "f:1:41: layer 'r': a V0 layer of type 'relu' has no 'num_output'")
    fails('layers { layer { type: "padding" pad: 1 } bottom: "a" top: "b" }\n'
          'layers { layer { type: "relu" } bottom: "b" top: "c" }', "f:2:33: a padding layer")


# -- inputs, batch norm, solver ----------------------------------------------------------


def test_input_shapes_become_an_input_layer():
    net = parse_net('layer { name: "l" }\ninput: "a" input_shape { dim: 2 dim: 3 }\n'
                    'input: "b" input_shape { dim: 4 }', "f")
    first = net.layers[0]
    assert (first.param.name, first.param.type, list(first.param.top)) == ("input", "Input",
                                                                          ["a", "b"])
    assert [list(shape.dim) for shape in first.param.input_param.shape] == [[2, 3], [4]]
    assert not net.param.input and not net.param.input_shape
    assert first.place.at("input_param", "shape", 1) == "f:2:1"
    assert net.layers[1].place.at("name") == "f:1:9"


def test_input_dims_become_shapes_of_four_axes():
    net = parse_net('input: "a" input_dim: [1, 2, 3, 4] input: "b" input_dim: [5, 6, 7, 8]')
    shapes = net.layers[0].param.input_param.shape
    assert [list(shape.dim) for shape in shapes] == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert not net.param.input_dim


def test_inputs_and_shapes_must_fit():
    fails('input: "a" input_dim: [1, 2, 3]', "f:1:1: the inputs and their shapes")
    fails('input: "a" input: "b" input_shape { dim: 1 }', "2 input, 1 input_shape")


def test_inputs_without_shapes_vanish():
    # CAFFE-QUIRK: as in Caffe, the blob is then an unknown bottom.
    net = parse_net('input: "a" layer { bottom: "a" }')
    assert [layer.param.type for layer in net.layers] == [""]
    assert not net.param.input


def test_batch_norm_statistics_get_no_updates():
    layer = only('layer { type: "BatchNorm" param { lr_mult: 1 } param { } param { } }')
    assert [(spec.lr_mult, spec.decay_mult) for spec in layer.param] == [(0, 0)] * 3
    layer = only('layer { type: "BatchNorm" param { lr_mult: 1 } param { } }')
    assert layer.param[0].lr_mult == 1


@pytest.mark.parametrize("enum, name", [
    ("SGD", "SGD"), ("NESTEROV", "Nesterov"), ("ADAGRAD", "AdaGrad"), ("RMSPROP", "RMSProp"),
    ("ADADELTA", "AdaDelta"), ("ADAM", "Adam"), ("5", "Adam")])
def test_solver_types(enum, name):
    param = parse_solver(f"solver_type: {enum}").param
    assert param.type == name and not param.HasField("solver_type")


def test_solver_with_both_types():
    fails('type: "SGD"\nsolver_type: SGD', "f:2:1: both solver_type", parse_solver)
