"""Names that only forks have: the error says whose they are, and how to say it here."""
from __future__ import annotations

import pytest

from caffe_lrcn.errors import CaffeError
from caffe_lrcn.layer_types import TYPES
from caffe_lrcn.net.connect import connect
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.forks import _INSTEAD, known_names
from caffe_lrcn.proto.text import parse_net, parse_solver

_MESSAGES = caffe_pb2.DESCRIPTOR.message_types_by_name


def refusal(text: str) -> str:
    """Return the error of a net."""
    with pytest.raises(CaffeError) as caught:
        connect(parse_net(text, "f").layers)
    return str(caught.value)


@pytest.mark.parametrize("text, fork", [
    ("layer { convolution_param { engine: MKL2017 } }", "Intel Caffe"),
    ('layer { name: "a" engine: "MKLDNN" }', "Intel Caffe"),
    ("layer { batch_norm_param { filler { value: 1 } } }", "Intel Caffe"),
    ("layer { batch_norm_param { scale_bias: true } }", "NVIDIA Caffe"),
    ("default_forward_type: FLOAT16", "NVIDIA Caffe"),
    ("layers { type: CONVOLUTION3D }", "C3D"),
    ("layers { convolution_param { kernel_depth: 3 } }", "C3D"),
    ("layer { pooling_param { ceil_mode: false } }", "soeaver's models or DenseNet"),
    ('layer { type: "PSROIPooling" }', "R-FCN"),
    ("layer { psroi_pooling_param { group_size: 7 } }", "R-FCN"),
    ('layer { type: "SmoothL1LossOHEM" }', "R-FCN"),
    ('layer { type: "BoxAnnotatorOHEM" }', "R-FCN"),
    ("layer { loss_param { normalization: PRE_FIXED } }", "R-FCN"),
    ("layer { loss_param { pre_fixed_normalizer: 256 } }", "R-FCN"),
    ('layer { type: "Interp" }', "PSPNet or DeepLab"),
    ("layer { interp_param { height: 60 } }", "PSPNet or DeepLab"),
    ('layer { type: "ConvolutionDepthwise" }', "depthwise"),
    ('layer { type: "DepthwiseConvolution" }', "group: C"),
    ('layer { type: "ShuffleChannel" }', "ShuffleNet"),
    ("layer { shuffle_channel_param { group: 3 } }", "ShuffleNet"),
    ("layer { video_data_param { new_length: 5 } }", "C3D or yjxiong"),
    ("layer { video_data_param { new_length: 5 } }", "Here it is clip_length"),
    ("layer { transform_param { multi_scale: true } }", "yjxiong"),
    ('layer { type: "DetectionEvaluate" }', "SSD"),
    ("layer { transform_param { emit_constraint { } } }", "SSD"),
    ("layer { transform_param { distort_param { } } }", "SSD"),
    ("layer { transform_param { expand_param { } } }", "SSD"),
    ("layer { loss_param { class_weighting: 2 } }", "SegNet"),
    ("layer { dropout_param { sample_weights_test: true } }", "SegNet"),
    ('layer { type: "CtcLoss" }', "CRNN"),
    ("layer { lstm_param { num_output: 3 } }", "junhyukoh"),
    ('layer { type: "Lstm" }', "recurrent_param and a second bottom, cont"),
    ("layer { convolution_param { hole: 2 } }", "Here it is called dilation"),
    ('layer { type: "CenterLoss" }', "caffe-face"),
    ('layer { type: "Correlation" }', "FlowNet"),
    ("layer { op_transform_param { } }", "OpenPose"),
    ("layer { convolution3d_param { } }", "C3D"),
    ("layers { type: VIDEO_WITH_VOXEL_TRUTH_DATA }", "C3D"),
    ("layers { type: SEG_ACCURACY }", "PSPNet or DeepLab"),
    ("layers { type: INTERP }", "PSPNet or DeepLab"),
    ("layers { type: MAT_WRITE }", "DeepLab"),
    ("layers { padding_param { } }", "DeepLab"),
    ('layer { type: "ContinuationIndicator" }', "joined by"),
    ('layer { type: "ImageGtData" }', "MS-CNN"),
    ("layer { bbox_reg_param { } }", "MS-CNN"),
    ('layer { type: "MaskResize" }', "MNC"),
    ('layer { type: "FloData" }', "FlowNet"),
    ("layer { accuracy_param { min_is_better: true } }", "NormFace"),
])
def test_a_fork_is_named(text, fork):
    message = refusal(text)
    assert fork in message and message.startswith("f:1:") and "Did you mean" not in message


@pytest.mark.parametrize("field", ["larc: true", "larc_eta: 0.1", "multinode_param { }",
                                   "rampup_interval: 5", "warmup_iter: 5",
                                   "eval_type: 'detection'", "local_lr_auto: true"])
def test_a_fork_of_a_solver_s_field_is_named(field):
    with pytest.raises(CaffeError, match="It belongs to a fork of Caffe"):
        parse_solver(f"base_lr: 1 {field}", "f")


@pytest.mark.parametrize("name, ours", [("Dense", "InnerProduct"), ("Conv2d", "Convolution"),
                                        ("CrossEntropyLoss", "SoftmaxWithLoss"),
                                        ("BatchNormalization", "BatchNorm")])
def test_names_of_other_programs_lead_to_caffe_s(name, ours):
    assert f"Caffe calls it '{ours}'" in refusal(f'layer {{ name: "a" type: "{name}" }}')


@pytest.mark.parametrize("name, ours", [("Poolng", "Pooling"), ("pooling", "Pooling"),
                                        ("Inner_Product", "InnerProduct")])
def test_misspelt_types_find_theirs(name, ours):
    assert f"Did you mean '{ours}'?" in refusal(f'layer {{ name: "a" type: "{name}" }}')


def test_an_unknown_type_proposes_none_of_another_family():
    assert "Did you mean" not in refusal('layer { type: "PSROIMaskPooling" }')


def test_no_name_of_a_fork_is_one_of_caffe_s():
    fields = {field for message in _MESSAGES.values() for field in message.fields_by_name}
    values = {value.name for message in _MESSAGES.values() for enum in message.enum_types
              for value in enum.values}
    plain = {name for name in known_names() if "." not in name}
    assert not plain & (fields | values | set(TYPES))
    for name in known_names() - plain:
        message, field = name.split(".")
        assert field not in _MESSAGES[message].fields_by_name


def test_advice_is_about_names_that_forks_have():
    assert set(_INSTEAD) <= known_names()


def test_an_old_type_alone_is_looked_for_in_its_later_spelling():
    message = refusal("layer { eltwise_param { operation: MEAN } }")
    assert "fork" not in message and "wanted one of PROD, SUM, MAX" in message
