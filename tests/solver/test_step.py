"""Whole training steps: what is read, what is moved, and what keeps parameters where they are."""
from __future__ import annotations

import numpy as np
import pytest

import caffe_lrcn as caffe
from caffe_lrcn.backends import get_backend
from caffe_lrcn.backends.scalars import BAD_LABEL
from caffe_lrcn.errors import DivergedError, LabelError
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net, parse_solver
from caffe_lrcn.solver.solver import Solver
from caffe_lrcn.solver.updates import RULES
from tests.pycaffe.nets import write_solver

from .oracle import FORMULAS, PlainUpdate

FILL = 'weight_filler { type: "uniform" min: -1 max: 1 } bias_filler { type: "constant" value: 1 }'
NET = f"""
layer {{ name: "in" type: "DummyData" top: "x" top: "t" dummy_data_param {{
  shape {{ dim: 4 dim: 3 }} shape {{ dim: 4 dim: 2 }}
  data_filler {{ type: "gaussian" }} data_filler {{ type: "gaussian" }} }} }}
layer {{ name: "one" type: "InnerProduct" bottom: "x" top: "one" param {{ name: "w" }}
  inner_product_param {{ num_output: 3 {FILL} }} }}
layer {{ name: "two" type: "InnerProduct" bottom: "one" top: "two"
  param {{ name: "w" lr_mult: 0.5 }} param {{ lr_mult: 2 decay_mult: 0 }}
  inner_product_param {{ num_output: 3 {FILL} }} }}
layer {{ name: "three" type: "InnerProduct" bottom: "two" top: "three"
  param {{ lr_mult: 0 }} param {{ decay_mult: 3 }}
  inner_product_param {{ num_output: 2 {FILL} }} }}
layer {{ name: "loss" type: "EuclideanLoss" bottom: "three" bottom: "t" top: "loss" }}
"""


def make_solver(kind="SGD", fields="", net=NET, device="cpu"):
    momentum = FORMULAS[kind][1]
    text = (f'type: "{kind}" momentum: {momentum} momentum2: 0.99 delta: 0.01 rms_decay: 0.8 '
            f'base_lr: 0.05 lr_policy: "fixed" random_seed: 4 net_param {{ {net} }} {fields}')
    return Solver(parse_solver(text), backend=get_backend(device, np.float64))


@pytest.mark.parametrize("fields", [
    "weight_decay: 0.1 clip_gradients: 1 iter_size: 2",
    'weight_decay: 0.1 regularization_type: "L1" clip_gradients: 100'])
@pytest.mark.parametrize("kind", RULES)
def test_a_net_is_trained_as_the_formulas_say(kind, fields):
    """Shared parameters count once; what has lr_mult 0 counts in the norm and stays."""
    solver, other = make_solver(kind, fields), make_solver(kind, fields)
    net = other.net
    assert [net.param_lr, net.param_decay] == [[0.5, 1, 2, 0, 1], [1, 1, 0, 1, 3]]
    plain = PlainUpdate(other.param, [blob.host_data.copy() for blob in net.learnable_params],
                        net.param_lr, net.param_decay)
    frozen = plain.weights[3].copy()
    for iteration in range(4):
        solver.step(1)
        net.clear_param_diffs()
        for _ in range(other.param.iter_size):
            net.forward()
            net.backward()
        weights, _ = plain.step([blob.host_diff.copy() for blob in net.learnable_params],
                                other.param.base_lr, iteration)
        for mine, blob, weight in zip(solver.net.learnable_params, net.learnable_params, weights,
                                      strict=True):
            blob.host_data[...] = weight
            np.testing.assert_allclose(mine.host_data, weight, rtol=1e-11)
    assert solver.net.params["two"][0].host_data is not solver.net.params["one"][0].host_data
    np.testing.assert_array_equal(solver.net.params["two"][0].host_data,
                                  solver.net.params["one"][0].host_data)
    np.testing.assert_array_equal(solver.net.params["three"][0].host_data, frozen)


def test_the_scalars_are_read_once(monkeypatch):
    solver = make_solver(fields="clip_gradients: 1 iter_size: 3")
    reads, read = [], solver.net.scalars.read
    monkeypatch.setattr(solver.net.scalars, "read", lambda: reads.append(1) or read())
    solver.step(2)
    assert len(reads) == 2


def test_the_norm_is_taken_after_callbacks_that_change_gradients(caplog):
    solver = make_solver(fields="clip_gradients: 1000")
    before = [blob.host_data.copy() for blob in solver.net.learnable_params]

    def enlarge():
        for blob in solver.net.learnable_params:
            blob.host_diff[...] = 1000
    solver.callbacks.append((lambda: None, enlarge))
    caplog.set_level("INFO")
    solver.step(1)
    count = sum(blob.count for blob in solver.net.learnable_params)
    norm = 1000 * count ** 0.5
    assert f"(L2 norm {norm:g} > 1000) by scale factor {1000 / norm:g}" in caplog.text
    np.testing.assert_allclose(solver.net.learnable_params[4].host_data,
                               before[4] - 0.05 * 1000 / count ** 0.5)


@pytest.mark.parametrize("wrong", ["loss", "status"])
def test_nothing_is_moved_by_a_step_that_went_wrong(wrong, monkeypatch):
    solver = make_solver(fields="iter_size: 2")
    solver.step(1)
    before = [blob.host_data.copy() for blob in solver.net.learnable_params]

    def spoil(index):
        if wrong == "loss":
            solver.net.blobs["loss"].host_data[...] = np.inf
        else:
            solver.net.scalars.status[...] |= BAD_LABEL

    layer = solver.net.layers[-1]
    forward = layer.forward
    monkeypatch.setattr(layer, "forward", lambda bottom, top: (forward(bottom, top), spoil(0)))
    with pytest.raises(DivergedError if wrong == "loss" else LabelError):
        solver.step(1)
    assert solver.iter == 1
    for blob, values in zip(solver.net.learnable_params, before, strict=True):
        np.testing.assert_array_equal(blob.host_data, values)


def test_a_pass_that_went_wrong_is_the_last_one(monkeypatch):
    solver, passes = make_solver(fields="iter_size: 2"), []
    layer = solver.net.layers[0]
    forward = layer.forward

    def first_bad(bottom, top):
        forward(bottom, top)
        passes.append(1)
        if len(passes) == 1:
            top[0].host_data[...] = np.nan
    monkeypatch.setattr(layer, "forward", first_bad)
    with pytest.raises(DivergedError, match="loss became nan.*layer 'in', blob 'x'"):
        solver.step(1)
    assert len(passes) == 1


def test_a_net_without_a_solver_allocates_no_gradients():
    net = Net(parse_net(NET), get_backend("cpu"), phase=1)
    net.forward()
    assert all(blob._diff.array is None for blob in net.learnable_params)
    assert net.arena.history == []


def test_surgery_on_one_parameter(tmp_path):
    """Views, files, sharing and another shape, each between steps that equal a plain run's."""
    solver, plain = (caffe.SGDSolver(write_solver(tmp_path)) for _ in range(2))
    name = next(iter(solver.net.params))
    weight = solver.net.params[name][0]
    held, shape = weight.data, weight.shape
    solver.step(1)
    plain.step(1)
    np.testing.assert_array_equal(held, plain.net.params[name][0].data)
    solver.net.save(str(tmp_path / "w.caffemodel"))
    held[...] = 0
    solver.net.copy_from(str(tmp_path / "w.caffemodel"))
    np.testing.assert_array_equal(held, plain.net.params[name][0].data)
    weight.reshape(*shape, 2)       # leaves the flat arrays,
    weight.data[...] = 0
    weight.reshape(*shape)          # and is moved on by itself
    weight.data[...] = plain.net.params[name][0].data
    solver.step(2)
    plain.step(2)
    np.testing.assert_array_equal(weight.data, plain.net.params[name][0].data)
    assert not np.shares_memory(weight.data, held)
    test_net = solver.test_nets[0]
    solver.share_weights(test_net)
    weight.data[...] = 3
    np.testing.assert_array_equal(test_net.params[name][0].data, 3)
