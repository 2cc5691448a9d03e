"""A whole training step in CUDA: the kernels, compiled for the host, against the CPU backend."""
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_solver, read_net
from caffe_lrcn.solver.step import EagerStep
from caffe_lrcn.solver.updates import RULES
from tests.harness.compiler import needs_compiler

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "solvers"


def train(device, dtype, iterations, monkeypatch):
    """Train the miniature LRCN step by step; return losses, gradients of the last step, weights."""
    monkeypatch.chdir(GOLDEN)
    backend = get_backend(device, dtype)
    net = Net(read_net("mini_lrcn.prototxt"), backend, phase=0, seed=3)
    net.copy_trained_layers_from("sgd_init.caffemodel")
    step = EagerStep(net, parse_solver("momentum: 0.9 weight_decay: 0.005").param, RULES["SGD"])
    losses = []
    for iteration in range(iterations):
        net.clear_param_diffs()
        losses.append(step.gradients().loss)
        gradients = [blob.host_diff.copy() for blob in net.learnable_params]
        step.update(0.1, iteration)
    weights = [blob.host_data.copy() for blob in net.learnable_params]
    net.close()
    return losses, gradients, weights


@needs_compiler
@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-9), (np.float32, 2e-4)])
def test_training_agrees_with_the_cpu(dtype, tolerance, monkeypatch):
    cuda = train("cuda-host", dtype, 4, monkeypatch)
    cpu = train("cpu", dtype, 4, monkeypatch)
    assert cpu[0][0] != cpu[0][-1]
    np.testing.assert_allclose(cuda[0], cpu[0], rtol=tolerance)
    for theirs, ours in zip(cuda[1] + cuda[2], cpu[1] + cpu[2], strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=tolerance, atol=tolerance)
        assert np.abs(ours).max() > 0
