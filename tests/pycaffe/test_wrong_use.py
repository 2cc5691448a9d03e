"""What newcomers get wrong from Python: each message names what was meant, and what to write."""
from __future__ import annotations

import copy

import numpy as np
import pytest

import caffe_lrcn as caffe

NET = """
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
        inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""
MEMORY = """
layer { name: "m" type: "MemoryData" top: "data" top: "label"
        memory_data_param { batch_size: 2 channels: 1 height: 2 width: 3 } }
"""


def made(tmp_path, text):
    path = tmp_path / "net.prototxt"
    path.write_text(text)
    return caffe.Net(str(path), caffe.TEST)


@pytest.fixture
def net(tmp_path):
    return made(tmp_path, NET)


@pytest.mark.parametrize("use, kind, parts", [
    (lambda net: net.blobs["dta"], KeyError, ["no blob 'dta'", "Did you mean 'data'?"]),
    (lambda net: net.blobs["x" * 9], KeyError, ["It has data, ip, prob"]),
    (lambda net: net.params["ipp"], KeyError, ["no layer with parameters 'ipp'", "'ip'?"]),
    (lambda net: net.params["prob"], KeyError,
     ["layer 'prob': this layer has no parameters", "Layers that have some: ip"]),
    (lambda net: net.layer_dict["prop"], KeyError, ["no layer 'prop'", "'prob'?"]),
    (lambda net: net.forward(blobs=["ipx"]), KeyError, ["no blob 'ipx'"]),
    (lambda net: net.backward(diffs=["ipx"]), KeyError, ["no blob 'ipx'"]),
    (lambda net: net.blobs.__setitem__("data", np.zeros((1, 3))), ValueError,
     ["'data' holds blobs", ".data[...] = values"]),
    (lambda net: net.params.__setitem__("ip", 3), ValueError, ["'ip' holds blobs"]),
    (lambda net: setattr(net.blobs["data"], "data", np.zeros((1, 3))), AttributeError,
     ["filled, not replaced", "blob.data[...] = values"]),
    (lambda net: setattr(net.params["ip"][0], "diff", 0), AttributeError,
     ["blob.diff[...] = values"]),
    (lambda net: net.forward(data=np.array([["a", "b", "c"]])), ValueError,
     ["input 'data' takes real numbers", "<U1"]),
    (lambda net: net.forward(data=np.zeros((1, 3), complex)), ValueError, ["complex128"]),
    (lambda net: net.forward(data=None), ValueError, ["an array of object"]),
    (lambda net: net.forward(start="prob", end="ip"), ValueError,
     ["no layer lies between", "'prob' behind 'ip'"]),
    (lambda net: net.backward(start="ip", end="prob"), ValueError, ["'prob' behind 'ip'"]),
    (lambda net: net.set_input_arrays([[1]], [0]), RuntimeError, ["whose first layer is a Mem"]),
    (lambda net: caffe.set_device("a"), ValueError, ["number of one GPU", "got a"]),
    (lambda net: caffe.set_device(-1), ValueError, ["number of one GPU"]),
])
def test_wrong_use_of_a_net(net, use, kind, parts):
    with pytest.raises(kind) as caught:
        use(net)
    assert isinstance(caught.value, caffe.errors.CaffeError)
    assert all(part in str(caught.value) for part in parts)


def test_names_still_behave_as_a_dictionary_s(net):
    assert "dta" not in net.blobs and net.blobs.get("dta") is None
    assert list(copy.copy(net.params)) == list(net.params.copy()) == ["ip"]
    assert net.forward(start="ip", end="ip").keys() == {"ip"}


@pytest.mark.parametrize("phase", [7, "TEST "])
def test_an_unknown_phase(tmp_path, phase):
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    with pytest.raises(caffe.errors.CaffeError, match="no such phase .*wanted caffe.TRAIN or"):
        caffe.Net(str(path), phase=phase)


def test_arguments_for_a_net_that_takes_none(tmp_path):
    with pytest.raises(ValueError, match="This net has no input blobs: its data layers fill it"):
        made(tmp_path, MEMORY).forward(data=np.zeros((2, 1, 2, 3)))


@pytest.mark.parametrize("data, labels, parts", [
    ([[1]], [0], ["takes data as a NumPy array", "got list"]),
    (np.zeros((2, 1, 2, 3), "f"), [0, 1], ["takes labels as a NumPy array"]),
    (np.zeros((2, 1, 2, 4), "f"), np.zeros(2, "f"), ["wanted (K, 1, 2, 3)"]),
])
def test_wrong_arrays_for_memory_data(tmp_path, data, labels, parts):
    with pytest.raises(caffe.errors.CaffeError) as caught:
        made(tmp_path, MEMORY).set_input_arrays(data, labels)
    assert all(part in str(caught.value) for part in parts)


def test_memory_data_without_arrays_says_what_to_call(tmp_path):
    with pytest.raises(caffe.errors.CaffeError, match="net.set_input_arrays"):
        made(tmp_path, MEMORY).forward()


@pytest.mark.parametrize("face", [caffe.Classifier, caffe.Detector])
@pytest.mark.parametrize("text, got", [(NET, r"\(1, 3\)"), (MEMORY, "no input blob")])
def test_classifiers_need_an_input_for_pictures(tmp_path, face, text, got):
    net = made(tmp_path, text)
    net.save(tmp_path / "w.caffemodel")
    with pytest.raises(ValueError, match=f"takes no pictures .got {got}.*deploy net"):
        face(str(tmp_path / "net.prototxt"), str(tmp_path / "w.caffemodel"))


def test_a_missing_solver_names_what_is_near(tmp_path):
    (tmp_path / "solver.prototxt").write_text("x")
    with pytest.raises(OSError, match="there is 'solver.prototxt'"):
        caffe.SGDSolver(str(tmp_path / "slover.prototxt"))


@pytest.mark.parametrize("iterations", [-1, 1.5])
def test_a_wrong_number_of_iterations(tmp_path, iterations):
    (tmp_path / "solver.prototxt").write_text(
        'net: "net.prototxt" base_lr: 0.1 lr_policy: "fixed" max_iter: 1 solver_mode: CPU')
    (tmp_path / "net.prototxt").write_text("""
        layer { name: "d" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 } } }
        layer { name: "p" type: "Parameter" top: "w" parameter_param { shape { dim: 2 } } }
        layer { name: "l" type: "EuclideanLoss" bottom: "w" bottom: "x" top: "l" }""")
    with pytest.raises(ValueError, match="a whole number, 0 or more"):
        caffe.SGDSolver(str(tmp_path / "solver.prototxt")).step(iterations)
