"""Random nets against plain NumPy: values of all blobs, and gradients of all inputs and parameters.

The gradients come from central differences of the NumPy side along random directions, so nothing
of the engine's backward passes is used to check them.
"""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from caffe_lrcn.backends import Backend, get_backend
from caffe_lrcn.layer_types.tanh import TanH
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net
from tests.harness.compiler import needs_compiler

from .net_builder import plans
from .net_plan import Plan

# A kink (of ReLU, MAX, …) may lie within a step of the point; then a smaller step decides.
_STEPS = (1e-5, 1e-6, 1e-7)
_CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def check(plan: Plan, backend: Backend) -> None:
    """Raise AssertionError unless the engine and NumPy agree on this net."""
    net = Net(parse_net(plan.text), backend, phase=0)
    rng = np.random.default_rng(7)
    for name, values in plan.inputs.items():
        net.blobs[name].host_data[...] = values
    params: dict[str, list[np.ndarray]] = {}
    for name, blobs in net.params.items():
        for blob in blobs:
            blob.host_data[...] = 0.5 * rng.normal(size=blob.shape)
        params[name] = [blob.host_data.copy() for blob in blobs]
    net.forward()
    wanted = plan.evaluate(plan.inputs, params)
    for name, values in wanted.items():
        got = net.blobs[name]
        assert got.shape == np.shape(values), name
        np.testing.assert_allclose(got.host_data, values, rtol=1e-9, atol=1e-11, err_msg=name)
    weights = {name: rng.normal(size=wanted[name].shape) for name in plan.outputs()}
    for name, weight in weights.items():
        net.blobs[name].host_diff[...] = weight
    net.clear_param_diffs()
    net.backward()
    _compare_gradients(plan, net, params, weights)


def _compare_gradients(plan: Plan, net: Net, params: dict[str, list[np.ndarray]],
                       weights: dict[str, np.ndarray]) -> None:
    rng = np.random.default_rng(8)
    inputs = {name: values.copy() for name, values in plan.inputs.items()}
    points = [(name, array, net.blobs[name].host_diff) for name, array in inputs.items()
              if name == "picture" and name in plan.consumed]
    points += [(f"{name}[{i}]", array, net.params[name][i].host_diff)
               for name, arrays in params.items() for i, array in enumerate(arrays)]

    def loss() -> float:
        blobs = plan.evaluate(inputs, params)
        return sum(float((blobs[name] * weight).sum()) for name, weight in weights.items())

    size = 1 + abs(loss())
    for name, array, gradient in points:
        direction, start = rng.normal(size=array.shape), array.copy()
        got, tried = float((gradient * direction).sum()), []
        for step in _STEPS:
            sides = []
            for sign in (1, -1):
                array[...] = start + sign * step * direction
                sides.append(loss())
            array[...] = start
            tried.append((sides[0] - sides[1]) / (2 * step))
            if abs(got - tried[-1]) <= 1e-5 * abs(got) + 1e-13 * size / step + 1e-8 * size:
                break
        else:
            raise AssertionError(f"gradient of {name}: engine {got}, NumPy {tried}\n{plan.text}")


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=_CHECKS)
@given(plans())
def test_random_nets_on_the_cpu(plan):
    check(plan, get_backend("cpu", np.float64))


@needs_compiler
@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=_CHECKS)
@given(plans())
def test_random_nets_in_cuda(plan):
    check(plan, get_backend("cuda-host", np.float64))


def _small() -> Plan:
    plan = Plan()
    plan.add_input("picture", np.random.default_rng(1).normal(size=(2, 3, 2, 2)))
    plan.add("TanH", ["picture"], np.tanh)
    plan.add("Eltwise", ["tanh0_0", "picture"], lambda a, b: a * b,
             "eltwise_param { operation: PROD }")
    return plan


def test_the_check_accepts_a_right_net():
    check(_small(), get_backend("cpu", np.float64))


def test_the_check_catches_a_wrong_value():
    plan = _small()
    plan.steps[0].compute = lambda x: np.tanh(x) * (1 + 1e-6)
    with pytest.raises(AssertionError, match="tanh0_0"):
        check(plan, get_backend("cpu", np.float64))


def test_the_check_catches_a_wrong_gradient(monkeypatch):
    right = TanH.backward

    def wrong(self, top, propagate_down, bottom):
        right(self, top, propagate_down, bottom)
        diff = bottom[0].diff
        diff *= 1.0001

    monkeypatch.setattr(TanH, "backward", wrong)
    with pytest.raises(AssertionError, match="gradient of picture"):
        check(_small(), get_backend("cpu", np.float64))


def test_the_nets_are_various():
    kinds: dict[str, int] = {}
    sizes = []

    @settings(max_examples=60, deadline=None, derandomize=True, database=None,
              suppress_health_check=_CHECKS)
    @given(plans())
    def collect(plan):
        sizes.append(len(plan.steps))
        for step in plan.steps:
            kind = step.name.rstrip("0123456789")
            kinds[kind] = kinds.get(kind, 0) + 1

    collect()
    assert max(sizes) >= 6
    assert {"convolution", "pooling", "lrn", "innerproduct", "eltwise", "concat", "slice",
            "reshape", "lstm", "rnn", "embed", "scale", "deconvolution"} <= set(kinds)
