"""Nets written in Python."""
from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format

import caffe_lrcn as caffe
from caffe_lrcn import layers as L
from caffe_lrcn import params as P
from caffe_lrcn.net.filter import filter_layers, make_state
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import parse_net
from caffe_lrcn.pycaffe.net_spec import (
    Function,
    NetSpec,
    Top,
    assign_proto,
    param_name_dict,
    to_proto,
)
from tests.pycaffe.nets import write

ROOT = Path(__file__).resolve().parents[2]

LENET = """
layer { name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param { shape { dim: 2 dim: 1 dim: 28 dim: 28 } shape { dim: 2 }
    data_filler { type: "uniform" min: 0 max: 1 } data_filler { type: "constant" value: 3 } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 20 kernel_size: 5 weight_filler { type: "xavier" } } }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1"
  pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "ip1" type: "InnerProduct" bottom: "pool1" top: "ip1"
  param { lr_mult: 1 decay_mult: 0 } param { lr_mult: 2 }
  inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "relu1" type: "ReLU" bottom: "ip1" top: "ip1" }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2"
  inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss"
  loss_weight: 0.5 include { phase: TRAIN } }
"""


def lenet():
    n = NetSpec()
    n.data, n.label = L.DummyData(
        shape=[dict(dim=[2, 1, 28, 28]), dict(dim=2)], ntop=2,
        data_filler=[dict(type="uniform", min=0, max=1), dict(type="constant", value=3)])
    xavier = dict(type="xavier")
    n.conv1 = L.Convolution(n.data, kernel_size=5, num_output=20, weight_filler=xavier)
    n.pool1 = L.Pooling(n.conv1, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    n.ip1 = L.InnerProduct(n.pool1, num_output=10, weight_filler=xavier,
                           param=[dict(lr_mult=1, decay_mult=0), dict(lr_mult=2)])
    n.relu1 = L.ReLU(n.ip1, in_place=True)
    n.ip2 = L.InnerProduct(n.relu1, inner_product_param=dict(num_output=10,
                                                             weight_filler=xavier))
    n.loss = L.SoftmaxWithLoss(n.ip2, n.label, loss_weight=0.5, include=dict(phase=caffe.TRAIN))
    return n


def parse(text):
    return text_format.Parse(text, caffe_pb2.NetParameter())


def test_a_net_spec_gives_the_definition_one_would_write():
    assert lenet().to_proto() == parse(LENET)
    assert parse(str(lenet().to_proto())) == parse(LENET)


def test_the_text_of_it_runs(tmp_path):
    net = caffe.Net(write(tmp_path, str(lenet().to_proto())), caffe.TRAIN)
    assert net.forward()["loss"] > 0
    net.backward()


def test_tops_tuples_and_functions():
    data, label = L.DummyData(ntop=2, shape=dict(dim=[1]))
    assert isinstance(data, Top) and (label.fn, label.n) == (data.fn, 1)
    nothing = L.Silence(data, ntop=0)
    assert isinstance(nothing, Function) and nothing.tops == ()
    with pytest.raises(TypeError, match=r"ReLU input 1 is not a Top \(type is <class 'str'>\)"):
        L.ReLU(data, "label")
    with pytest.raises(AttributeError):
        L.__wrapped__  # noqa: B018


def test_fields_go_to_the_layer_or_to_its_own_message():
    layer, = to_proto(L.Python(module="m", layer="l", param_str="x", loss_weight=2,
                               propagate_down=[])).layer
    assert layer.python_param.module == "m" and list(layer.loss_weight) == [2]
    recurrent = L.LSTM(L.Input(), recurrent_param=dict(num_output=3), name="mine")
    assert recurrent.to_proto().layer[1].recurrent_param.num_output == 3
    assert recurrent.to_proto().layer[1].name == "mine"
    with pytest.raises(AttributeError, match="Convolution has no field 'num_outputs'"):
        to_proto(L.Convolution(L.Input(), num_outputs=3))
    with pytest.raises(AttributeError, match="FillerParameter has no field 'stdev'"):
        to_proto(L.Convolution(L.Input(), weight_filler=dict(stdev=3)))


def test_values_become_messages_lists_and_scalars():
    layer = caffe_pb2.LayerParameter()
    assign_proto(layer, "bottom", ["a", "b"])
    assign_proto(layer, "top", "c")
    assign_proto(layer, "param", [dict(lr_mult=1), dict(name="w")])
    assign_proto(layer, "include", caffe_pb2.NetStateRule(phase=caffe.TEST))
    assign_proto(layer, "convolution_param", dict(kernel_size=3, weight_filler=dict(type="msra")))
    assign_proto(layer, "reshape_param", dict(shape=caffe_pb2.BlobShape(dim=[1, 2])))
    assign_proto(layer, "relu_param", {})
    assert list(layer.bottom) == ["a", "b"] and list(layer.top) == ["c"]
    assert layer.param[1].name == "w" and layer.include[0].phase == caffe.TEST
    assert list(layer.convolution_param.kernel_size) == [3]
    assert layer.convolution_param.weight_filler.type == "msra"
    assert list(layer.reshape_param.shape.dim) == [1, 2] and layer.HasField("relu_param")


def test_names_of_what_has_no_name():
    n = NetSpec()
    data = L.Input(shape=dict(dim=[1, 2]))
    n.a = L.ReLU(L.ReLU(data))
    n["b"] = L.ReLU(data)
    n.quiet = L.Silence(n.b, ntop=0)
    for _ in range(2):  # the count starts anew
        net = n.to_proto()
        assert [layer.name for layer in net.layer] == ["Input1", "ReLU1", "a", "b", "quiet"]
        assert [list(layer.top) for layer in net.layer][-2:] == [["b"], []]
    assert n["a"] is n.a
    del n.a, n["quiet"]
    assert [layer.name for layer in n.to_proto().layer] == ["Input1", "b"]
    with pytest.raises(AttributeError, match="no 'a'"):
        n.a  # noqa: B018


def test_to_proto_of_tops():
    data = L.Input(shape=dict(dim=[1, 2]))
    one, two = L.ReLU(data), L.Sigmoid(data)
    net = to_proto(one, two)
    assert [layer.name for layer in net.layer] == ["Input1", "ReLU1", "Sigmoid1"]
    assert one.to_proto() == to_proto(one) == one.fn.to_proto() == caffe.to_proto(one)


def test_a_net_deeper_than_python_nests_calls():
    top = L.Input(shape=dict(dim=[1]))
    for _ in range(3000):
        top = L.ReLU(top)
    assert top.to_proto().layer[-1].name == "ReLU3000"


def test_enums_and_names_of_messages():
    assert (P.Pooling.AVE, P.Eltwise.SUM, P.Data.LMDB) == (1, 1, 1)
    with pytest.raises(AttributeError, match="no message PollingParameter"):
        P.Polling.MAX  # noqa: B018
    names = param_name_dict()
    assert names["Convolution"] == "convolution" and names["Recurrent"] == "recurrent"
    assert names["InnerProduct"] == "inner_product" and names["LRN"] == "lrn"


def rebuild(net):
    """Write a definition anew through NetSpec, field by field."""
    spec, blobs = NetSpec(), {}
    for number, layer in enumerate(net.layer):
        fields = {field.name: value for field, value in layer.ListFields()
                  if field.name not in ("type", "bottom", "top")}
        bottoms = [blobs[name] for name in layer.bottom]
        in_place = bool(layer.top) and list(layer.top) == list(layer.bottom)
        fn = Function(layer.type, tuple(bottoms),
                      {**fields, "ntop": len(layer.top), "in_place": in_place})
        for name, top in zip(layer.top, fn.tops, strict=True):
            blobs[name] = top
            # An in-place layer's blob has its name already.
            spec[f"{name}#{number}" if in_place else name] = top
        if not fn.tops:
            spec[f"#{number}"] = fn
    return spec.to_proto()


@pytest.mark.parametrize("name,stages", [
    ("LENET", ()), ("lrcn_word_deploy.prototxt", ()), ("lrcn_word_deploy.prototxt", ("rnn",)),
    ("lrcn_image_deploy.prototxt", ()), ("lrcn.prototxt", ("factored", "2-layer"))])
def test_prototxt_to_net_spec_to_prototxt(name, stages):
    text = LENET if name == "LENET" else (ROOT / "prototxt" / name).read_text()
    # A name stands for one blob in a NetSpec: of layers that make the same, one is kept.
    state = make_state(caffe.TRAIN, 0, stages, caffe_pb2.NetState())
    net = caffe_pb2.NetParameter(
        layer=[layer.param for layer in filter_layers(parse_net(text).layers, state)])
    rebuilt = rebuild(net)
    assert list(rebuilt.layer) == list(net.layer) and len(net.layer) >= 4
    net.layer[1].name += "x"
    assert list(rebuilt.layer) != list(net.layer)
