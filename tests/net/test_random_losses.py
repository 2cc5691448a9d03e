"""Gradients of random nets with loss weights, layers in place, aliases and shared parameters."""
from __future__ import annotations

import logging

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import CaffeError
from caffe_lrcn.layer_types.common.recurrent import Recurrent
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net
from tests.harness.compiler import needs_compiler

from .loss_nets import Drawing, names_of_frozen

# A kink (of ReLU, Clip, …) may lie within a step of the point; then a smaller step decides.
_STEPS = (1e-5, 1e-6, 1e-7)


def forward(net: Net, x: np.ndarray) -> float:
    net.blobs["x"].host_data[...] = x  # a layer in place on an alias may have changed it
    for layer in net.layers:
        if isinstance(layer, Recurrent):
            layer.reset()
    return net.forward()


def gradients(net: Net, x: np.ndarray) -> tuple[float, dict[str, np.ndarray]]:
    loss = forward(net, x)
    net.clear_param_diffs()
    net.backward()
    found = {"x": net.blobs["x"].host_diff.copy()}
    for position, blob in enumerate(net.learnable_params):
        layer, index = net.param_owners[position]
        found[f"{net.layer_names[layer]}[{index}]"] = blob.host_diff.copy()
    return loss, found


def differences(net: Net, x: np.ndarray, values: np.ndarray, gradient: np.ndarray, what: str,
                rng: np.random.Generator) -> None:
    """Compare with central differences along a direction; ``values`` is ``x`` or a parameter."""
    direction, start = rng.normal(size=values.shape), values.copy()
    got, tried = float((gradient * direction).sum()), []
    size = 1 + abs(forward(net, x))
    for step in _STEPS:
        sides = []
        for sign in (1, -1):
            values[...] = start + sign * step * direction
            sides.append(forward(net, x))
        values[...] = start
        tried.append((sides[0] - sides[1]) / (2 * step))
        if abs(got - tried[-1]) <= 2e-5 * abs(got) + 1e-13 * size / step + 1e-8 * size:
            return
    raise AssertionError(f"gradient of {what}: {got}, differences {tried}")


def check(seed: int, backend: str = "cpu") -> str:
    """Check one net; return what became of it: ``refused``, ``warned``, ``no loss`` or ``right``.

    A net that the engine warns of computes what Caffe computes, not the gradient.
    """
    drawing = Drawing(seed)
    seen: list[logging.LogRecord] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = seen.append  # type: ignore[method-assign]
    logger = logging.getLogger("caffe_lrcn")
    logger.addHandler(handler)
    try:
        net = Net(parse_net(drawing.text, "n.prototxt"), get_backend(backend, np.float64), phase=0)
    except CaffeError:
        return "refused"
    finally:
        logger.removeHandler(handler)
    if seen:
        return "warned"
    if not any(any(node.loss_weights) for node in net.nodes):
        return "no loss"
    rng = np.random.default_rng(seed)
    x = rng.normal(size=net.blobs["x"].shape)
    for layer in net.layers:
        if layer.type == "Parameter":
            layer.blobs[0].host_data[...] = rng.normal(size=layer.blobs[0].shape)
    loss, first = gradients(net, x)
    if not np.isfinite(loss) or abs(loss) > 1e6:
        return "too large"
    for _ in range(2):
        again = gradients(net, x)
        assert again[0] == loss, drawing.text
        for name, value in first.items():
            np.testing.assert_array_equal(again[1][name], value, err_msg=name + drawing.text)
    frozen = names_of_frozen(drawing.text)
    try:
        if drawing.forced:
            differences(net, x, x, first["x"], "x", rng)
        for position, (blob, (name, value)) in enumerate(zip(
                net.learnable_params, list(first.items())[1:], strict=True)):
            layer, index = net.param_owners[position]
            spec = net.layers[layer].param.param[index:index + 1]
            if net.layers[layer].type != "BatchNorm" and not (spec and spec[0].name in frozen):
                differences(net, x, blob.host_data, value, name, rng)
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}\n{drawing.text}") from None
    return "right"


@pytest.mark.parametrize("start", range(0, 120, 20))
def test_gradients_equal_differences(start):
    results = [check(seed) for seed in range(start, start + 20)]
    assert results.count("right") > 5, results


@needs_compiler
def test_gradients_equal_differences_in_cuda():
    assert [check(seed, "cuda-host") for seed in range(12)].count("right") > 2
