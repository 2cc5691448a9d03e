"""Recurrent layers unrolled into nets of primitive layers: the oracle of their tests."""
from __future__ import annotations

import itertools

import numpy as np

from caffe_lrcn.backends import get_backend
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net


def unrolled_lstm(x: np.ndarray, static: np.ndarray | None, units: int) -> str:
    """Return the definition of an LSTM as T copies of its step, sharing their parameters.

    Inputs: x, cont, h_0, c_0 and, with ``static``, s. The output is h. Parameters are named
    W_x, b, W_s, W_h.
    """
    net, steps = _Text(), len(x)
    _declare_inputs(net, x, static, units, ("h_0", "c_0"), width=4 * units)
    for t in range(1, steps + 1):
        _project(net, t, static, units, width=4 * units)
        gates = [f"{gate}_{t}" for gate in "ifog"]
        net.add("Slice", [f"pre_{t}"], [f"raw_{gate}" for gate in gates], "slice_param{axis:2}")
        for gate in gates[:3]:
            net.add("Sigmoid", [f"raw_{gate}"], [gate])
        net.add("TanH", [f"raw_g_{t}"], [f"g_{t}"])
        net.add("Eltwise", [f"f_{t}", f"c_{t - 1}"], [f"fc_{t}"], PRODUCT)
        net.add("Scale", [f"fc_{t}", f"cont_{t}"], [f"kept_{t}"], "scale_param{axis:0}")
        net.add("Eltwise", [f"i_{t}", f"g_{t}"], [f"new_{t}"], PRODUCT)
        net.add("Eltwise", [f"kept_{t}", f"new_{t}"], [f"c_{t}"])
        net.add("TanH", [f"c_{t}"], [f"tanh_c_{t}"])
        net.add("Eltwise", [f"o_{t}", f"tanh_c_{t}"], [f"h_{t}"], PRODUCT)
    net.add("Concat", [f"h_{t + 1}" for t in range(steps)], ["h"], "concat_param{axis:0}")
    return net.text


def unrolled_rnn(x: np.ndarray, static: np.ndarray | None, units: int) -> str:
    """Return the definition of an RNN likewise; further parameters are W_o, b_o, the output o."""
    net, steps = _Text(), len(x)
    _declare_inputs(net, x, static, units, ("h_0",), width=units)
    for t in range(1, steps + 1):
        _project(net, t, static, units, width=units)
        net.add("TanH", [f"pre_{t}"], [f"h_{t}"])
        net.inner_product(f"h_{t}", f"Wh_{t}", 2, units, "W_o", "b_o")
        net.add("TanH", [f"Wh_{t}"], [f"o_{t}"])
    net.add("Concat", [f"o_{t + 1}" for t in range(steps)], ["o"], "concat_param{axis:0}")
    return net.text


def run_unrolled(definition: str, inputs: dict[str, np.ndarray], params: dict[str, np.ndarray],
                 output: str, d_output: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Run an unrolled net in float64; return its output and gradients by input or parameter."""
    net = Net(parse_net(definition, "unrolled.prototxt"), get_backend("cpu", np.float64),
              phase=1, seed=1)
    for name, value in inputs.items():
        net.blobs[name].host_data[...] = value
    owners = {}
    for layer in net.layers:
        for spec, blob in zip(layer.param.param, layer.blobs, strict=False):
            owners.setdefault(spec.name, blob)
    for name, value in params.items():
        owners[name].host_data[...] = value
    net.forward()
    net.clear_param_diffs()
    net.blobs[output].host_diff[...] = d_output
    net.backward()
    gradients = {name: net.blobs[name].host_diff.copy() for name in inputs}
    gradients |= {name: blob.host_diff.copy() for name, blob in owners.items()}
    return net.blobs[output].host_data.copy(), gradients


PRODUCT = "eltwise_param{operation:PROD}"


class _Text:
    """A definition that grows layer by layer."""

    def __init__(self) -> None:
        self.text = "force_backward: true\n"
        self._numbers = itertools.count()

    def add(self, kind: str, bottoms: list[str], tops: list[str], extra: str = "") -> None:
        ends = " ".join([*(f'bottom: "{name}"' for name in bottoms),
                         *(f'top: "{name}"' for name in tops)])
        self.text += f'layer {{ name: "l{next(self._numbers)}" type: "{kind}" {ends} {extra} }}\n'

    def input(self, name: str, shape: tuple[int, ...]) -> None:
        dims = " ".join(f"dim: {size}" for size in shape)
        self.add("Input", [], [name], f"input_param {{ shape {{ {dims} }} }}")

    def inner_product(self, bottom: str, top: str, axis: int, width: int, *params: str) -> None:
        specs = " ".join(f'param {{ name: "{name}" }}' for name in params)
        bias = "true" if len(params) == 2 else "false"
        self.add("InnerProduct", [bottom], [top], f"{specs} inner_product_param {{ axis: {axis} "
                 f"num_output: {width} bias_term: {bias} }}")


def _declare_inputs(net: _Text, x: np.ndarray, static: np.ndarray | None, units: int,
                    states: tuple[str, ...], width: int) -> None:
    steps, n = x.shape[:2]
    net.input("x", x.shape)
    net.input("cont", (steps, n))
    for name in states:
        net.input(name, (1, n, units))
    for name in ("x", "cont"):
        net.add("Slice", [name], [f"{name}_{t + 1}" for t in range(steps)], "slice_param{axis:0}")
    if static is not None:
        net.input("s", static.shape)
        net.inner_product("s", "Ws", 1, width, "W_s")
        net.add("Reshape", ["Ws"], ["Ws_1"],
                f"reshape_param {{ shape {{ dim: 1 dim: {n} dim: {width} }} }}")


def _project(net: _Text, t: int, static: np.ndarray | None, units: int, width: int) -> None:
    """Add what leads to the pre-activation of step ``t``."""
    net.add("Scale", [f"h_{t - 1}", f"cont_{t}"], [f"hc_{t}"], "scale_param{axis:0}")
    net.inner_product(f"x_{t}", f"Wx_{t}", 2, width, "W_x", "b")
    net.inner_product(f"hc_{t}", f"Whc_{t}", 2, width, "W_h")
    shared = [] if static is None else ["Ws_1"]
    net.add("Eltwise", [f"Wx_{t}", f"Whc_{t}", *shared], [f"pre_{t}"])
