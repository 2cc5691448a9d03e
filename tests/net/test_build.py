"""The builder: nets of any size on the backend ``shapes``, and errors collected in one pass."""
from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import NetError
from caffe_lrcn.net.build import build
from caffe_lrcn.net.collect import Collector
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net, read_net

from ..harness.layers import GOLDEN, TEST, TRAIN
from ..harness.memory import peak_memory

_ZOO = Path(__file__).parents[2] / "prototxt" / "zoo"
_SHAPES = get_backend("shapes")


def _recorded() -> list[str]:
    with h5py.File(GOLDEN) as file:
        return list(file)


@pytest.mark.parametrize("name", _recorded())
def test_recorded_layers_have_their_shapes_without_being_run(name):
    with h5py.File(GOLDEN) as file:
        definition = parse_net(file[name].attrs["prototxt"])
        tops = {int(i): value.shape for i, value in file[name].get("top", {}).items()}
        phase = TRAIN if file[name].attrs["phase"] == "TRAIN" else TEST
        params = {int(i): value.shape for i, value in file[name].get("param", {}).items()}
    built = build(definition.layers, _SHAPES, phase, force_backward=True)
    node = next(step.node for step in built.steps if step.definition is definition.layers[-1])
    if node.layer.type != "Filter":  # its tops depend on values
        assert {i: node.top[i].shape for i in tops} == tops
    assert {i: node.layer.blobs[i].shape for i in params} == params


def test_a_large_net_takes_no_memory():
    definition = read_net(str(_ZOO / "vgg16" / "deploy.prototxt"))
    Net(definition, _SHAPES, phase=1)  # imports the layers' modules
    definition.layers[0].param.input_param.shape[0].dim[0] = 600  # 2.9 GB a blob, at the top
    nets = []
    assert peak_memory(lambda: nets.append(Net(definition, _SHAPES, phase=1))) < 2 << 20
    assert sum(blob.count for blob in nets[0].learnable_params) == 138_357_544
    assert nets[0].blobs["prob"].shape == (600, 1000)


_BAD = """
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "both" type: "ReLU" bottom: "x" top: "both" include { } exclude { } }
layer { name: "a" type: "ReLU" bottom: "nowhere" top: "a" }
layer { name: "b" type: "TanH" bottom: "a" top: "b" }
layer { name: "c" type: "InnerProduct" bottom: "x" top: "c" }
layer { name: "d" type: "Relu" bottom: "c" top: "d" }
layer { name: "e" type: "Softmax" bottom: "x" top: "e" loss_weight: 1 loss_weight: 2 }
layer { name: "f" type: "Concat" bottom: "d" bottom: "e" bottom: "x" top: "f" }
layer { name: "h" type: "Flatten" top: "h" }
layer { name: "g" type: "ReLU" bottom: "x" top: "g" param { } }
"""


def test_errors_are_collected_in_one_pass():
    collector = Collector()
    built = build(parse_net(_BAD).layers, _SHAPES, 1, collector=collector)
    assert [(error.layer, error.message.split(":")[0].split(" '")[0])
            for error in collector.errors] == [
        ("a", "unknown bottom blob"), ("d", "unknown layer type"),
        ("e", "loss_weight must be given once per top, or not at all"),
        ("h", "Flatten has the wrong number of bottoms"),
        ("c", "num_output is missing"), ("g", "more param entries than parameters")]
    steps = {step.definition.param.name: step for step in built.steps if not step.inserted}
    assert [name for name, step in steps.items() if step.node] == ["x", "both", "g"]
    assert steps["f"].bottoms == [None, None, (2, 3)] and steps["f"].tops == [None]
    assert list(steps["g"].definition.param.bottom) == ["x"]  # as written, before the Splits


def test_the_first_error_is_raised_without_a_collector():
    with pytest.raises(NetError, match="unknown bottom blob 'nowhere'"):
        build(parse_net(_BAD).layers, _SHAPES, 1)


def test_what_a_collector_knows_is_gone_on_with():
    class Knowing(Collector):
        def failed(self, layer, error):
            super().failed(layer, error)
            return [(2, 5)]

        def skips(self, layer):
            return layer.param.name == "b"

    text = """
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "a" type: "InnerProduct" bottom: "x" top: "a" }
layer { name: "b" type: "ReLU" bottom: "a" top: "b" }
layer { name: "c" type: "Flatten" bottom: "a" top: "c" }
"""
    collector = Knowing()
    steps = build(parse_net(text).layers, _SHAPES, 1, collector=collector).steps
    tops = {step.definition.param.name: step.tops for step in steps}
    assert len(collector.errors) == 1
    assert tops["a"] == tops["c"] == [(2, 5)] and tops["b"] == [None]
