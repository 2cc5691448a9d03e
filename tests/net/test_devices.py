"""Nets on several GPUs (stand-ins) in one process: arrays and kernels stay where they belong."""
from __future__ import annotations

import threading

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import LabelError
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.caffe_pb2 import SolverParameter
from caffe_lrcn.proto.text import parse_net
from caffe_lrcn.solver.step import EagerStep
from caffe_lrcn.solver.updates import RULES
from tests.backends import fake_cupy
from tests.harness.compiler import needs_compiler

pytestmark = needs_compiler

TEXT = """
layer { name: "x" type: "Input" top: "x" top: "label"
  input_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } }
layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y"
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "y" top: "y" }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "y" bottom: "label" top: "loss" }
"""


@pytest.fixture
def gpus(monkeypatch):
    fake_cupy.install(monkeypatch, gpus=2)


def run(net):
    """Run a step; the stand-in refuses work on arrays of a device that is not the current one."""
    net.blobs["x"].host_data[...] = np.arange(6).reshape(2, 3)
    net.blobs["label"].host_data[...] = [3, 1]
    step = EagerStep(net, SolverParameter(), RULES["SGD"])
    net.clear_param_diffs()
    loss = step.gradients().loss
    step.update(1, 0)
    return loss, net.params["ip"][0].read_data().copy()


def test_nets_of_two_gpus_run_side_by_side(gpus):
    wanted = run(Net(parse_net(TEXT), get_backend("cpu"), phase=0))
    nets = [Net(parse_net(TEXT), get_backend(f"gpu:{number}"), phase=0) for number in (0, 1)]
    for number, net in enumerate(nets):
        loss, weights = run(net)
        assert loss == pytest.approx(wanted[0])
        np.testing.assert_allclose(weights, wanted[1], rtol=1e-5)
        blobs = [*net.blobs.values(), *net.learnable_params]
        assert {array.device.id for blob in blobs for array in (blob.data, blob.diff)} == {number}
        assert net.scalars.loss.device.id == number
    assert fake_cupy.Device().id == 0


def test_another_thread_runs_a_net_on_its_gpu(gpus):
    net, results = Net(parse_net(TEXT), get_backend("gpu:1"), phase=0), []
    thread = threading.Thread(target=lambda: results.append(run(net)))
    thread.start()
    thread.join()
    assert len(results) == 1 and results[0][0] > 0


def test_a_label_that_is_no_class_is_named(gpus):
    net = Net(parse_net(TEXT, "n.prototxt"), get_backend("gpu:1"), phase=0)
    net.blobs["label"].host_data[...] = [0, 4]
    with pytest.raises(LabelError, match=r"n.prototxt:7:58: layer 'loss'.*number 1 .*got 4, "):
        net.forward()
    net.blobs["label"].host_data[...] = 0
    assert net.forward() > 0
