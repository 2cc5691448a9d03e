"""A steady training step allocates no arrays: the nets of the benchmarks and of the three tasks."""
from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net, parse_solver
from caffe_lrcn.solver.step import EagerStep
from caffe_lrcn.solver.updates import RULES
from tests.harness.steady import LIMIT, steady_peak

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
WORDS, UNITS, STEPS, STREAMS = 500, 64, 10, 16
FILL = 'weight_filler { type: "uniform" min: -0.08 max: 0.08 }'
SIZE = {"words": WORDS, "units": UNITS, "steps": STEPS, "streams": STREAMS, "fill": FILL}


def _inputs(**shapes: tuple[int, ...]) -> str:
    dims = {name: " ".join(f"dim: {size}" for size in shape) for name, shape in shapes.items()}
    return "".join(_layer("Input", "", name, f"input_param {{ shape {{ {text} }} }}")
                   for name, text in dims.items())


def _layer(type_name: str, bottoms: str, top: str, param: str = "") -> str:
    names = " ".join(f'bottom: "{name}"' for name in bottoms.split())
    return (f'layer {{ name: "{type_name} {top}" type: "{type_name}" {names} top: "{top}" '
            f"{param} }}\n")


def _lstm(bottoms: str, top: str) -> str:
    return _layer("LSTM", bottoms, top, f"recurrent_param {{ num_output: {UNITS} {FILL} }}")


def _product(bottom: str, top: str, units: int, axis: int = 1) -> str:
    return _layer("InnerProduct", bottom, top,
                  f"inner_product_param {{ axis: {axis} num_output: {units} {FILL} }}")


def _embed(bottom: str, top: str) -> str:
    return _layer("Embed", bottom, top, f"embed_param {{ bias_term: false input_dim: {WORDS} "
                                        f"num_output: {UNITS} {FILL} }}")


def _loss(bottom: str, label: str) -> str:
    return _layer("SoftmaxWithLoss", f"{bottom} {label}", "loss",
                  "softmax_param { axis: 2 } loss_param { ignore_label: -1 }")


def _convnet(images: int) -> str:
    """Return a CaffeNet in small from ``data`` to ``fc6``."""
    def conv(outputs: int, kernel: int, more: str) -> str:
        return (f"convolution_param {{ num_output: {outputs} kernel_size: {kernel} {more} "
                f"{FILL} }}")
    return "".join([
        _inputs(data=(images, 3, 67, 67)),
        _layer("Convolution", "data", "conv1", conv(32, 11, "stride: 4")),
        _layer("ReLU", "conv1", "conv1"),
        _layer("Pooling", "conv1", "pool1", "pooling_param { kernel_size: 3 stride: 2 }"),
        _layer("LRN", "pool1", "norm1", "lrn_param { local_size: 5 alpha: 0.0001 }"),
        _layer("Convolution", "norm1", "conv2", conv(64, 5, "pad: 2 group: 2")),
        _layer("ReLU", "conv2", "conv2"),
        _layer("Pooling", "conv2", "pool2", "pooling_param { kernel_size: 3 stride: 2 pool: AVE }"),
        _product("pool2", "fc6", 256), _layer("ReLU", "fc6", "fc6"),
        _layer("Dropout", "fc6", "fc6")])


def _captioning() -> str:
    return "".join([
        _convnet(STREAMS), _inputs(**dict.fromkeys(("cont", "input", "label"), (STEPS, STREAMS))),
        _embed("input", "embed"), _lstm("embed cont", "lstm1"), _lstm("lstm1 cont fc6", "lstm2"),
        _product("lstm2", "predict", WORDS, 2), _loss("predict", "label")])


def _activity() -> str:
    """Return the net of frames in T x N order, a loss for each of them."""
    shape = f"reshape_param {{ shape {{ dim: {STEPS} dim: {STREAMS} dim: -1 }} }}"
    return "".join([
        _convnet(STEPS * STREAMS), _inputs(cont=(STEPS, STREAMS), label=(STEPS, STREAMS)),
        _layer("Reshape", "fc6", "frames", shape), _lstm("frames cont", "lstm"),
        _layer("Dropout", "lstm", "dropped"), _product("dropped", "classes", 101, 2),
        _loss("classes", "label"),
        _layer("Accuracy", "classes label", "accuracy",
               "accuracy_param { axis: 2 ignore_label: -1 }")])


def _description() -> str:
    """Return S2VT: one LSTM over the frames, one over its output and the words."""
    return "".join([
        _inputs(frames=(STEPS, STREAMS, 256),
                **dict.fromkeys(("cont", "input", "label"), (STEPS, STREAMS))),
        _product("frames", "small", UNITS, 2), _layer("Dropout", "small", "small"),
        _lstm("small cont", "lstm1"), _embed("input", "embed"),
        _layer("Concat", "lstm1 embed", "both", "concat_param { axis: 2 }"),
        _lstm("both cont", "lstm2"), _layer("Dropout", "lstm2", "dropped"),
        _product("dropped", "predict", WORDS, 2), _loss("predict", "label")])


def _benchmark(name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the net of a benchmark in small."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    module = importlib.import_module(name)
    if name != "convnet":
        return module.NET.format(**SIZE)
    small = [(block, kind, tuple(n if n < 16 else n // 8 for n in numbers[:2]) + numbers[2:])
             for block, kind, numbers in module.BLOCKS]
    monkeypatch.setattr(module, "BLOCKS", small)
    return module.prototxt(4)


NETS = {"captioning": _captioning, "activity": _activity, "description": _description}


@pytest.mark.parametrize("name", [*NETS, "convnet", "captioner", "decoding"])
def test_a_steady_step_allocates_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = NETS[name]() if name in NETS else _benchmark(name, monkeypatch)
    net = Net(parse_net(text), get_backend("cpu"), phase=0)
    rng = np.random.default_rng(0)
    for blob_name, classes in (("label", 100), ("target", WORDS), ("input", WORDS)):
        if blob_name in net.blobs:
            blob = net.blobs[blob_name]
            blob.host_data[...] = rng.integers(0, classes, blob.shape)
            if blob_name == "label" and name in NETS:
                blob.host_data[-1] = -1
    if "cont" in net.blobs:
        net.blobs["cont"].host_data[1:] = 1
    for blob_name in {"data", "t0", "frames"} & set(net.inputs):
        net.blobs[blob_name].host_data[...] = rng.normal(size=net.blobs[blob_name].shape)

    solver = parse_solver("momentum: 0.9 weight_decay: 0.1 clip_gradients: 1")
    training = EagerStep(net, solver.param, RULES["SGD"])

    def step() -> None:
        net.clear_param_diffs()
        training.gradients()
        training.update(0.01, 0)

    peak = steady_peak(step)
    assert peak < LIMIT, f"{peak} bytes"
