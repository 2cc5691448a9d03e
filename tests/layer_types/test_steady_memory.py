"""Layers of the large nets take no large temporaries in a steady training step."""
from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from caffe_lrcn.backends import Backend
from tests.harness.layers import TRAIN, make_layer

_SHAPE = (40, 50, 300)
_BYTES = 4 * 40 * 50 * 300


def _neuron(type_name: str, param: str = "", top: str = "y", bottoms: str = 'bottom: "x"') -> str:
    return f'layer {{ name: "l" type: "{type_name}" {bottoms} top: "{top}" {param} }}'


_TWO = 'bottom: "x" bottom: "z"'
_LAYERS = {
    "relu": _neuron("ReLU", top="x"),
    "leaky_relu": _neuron("ReLU", "relu_param { negative_slope: 0.1 }"),
    "sigmoid": _neuron("Sigmoid"),
    "tanh": _neuron("TanH"),
    "power": _neuron("Power", "power_param { power: 3 }"),
    "dropout": _neuron("Dropout", top="x"),
    "prelu": _neuron("PReLU"),
    "batch_norm": _neuron("BatchNorm"),
    "scale": _neuron("Scale", "scale_param { bias_term: true }", top="x"),
    "eltwise": _neuron("Eltwise", bottoms=_TWO),
    "concat": _neuron("Concat", bottoms=_TWO),
    "slice": _neuron("Slice"),
    "softmax": _neuron("Softmax", "softmax_param { axis: 2 }"),
    "euclidean_loss": _neuron("EuclideanLoss", bottoms=_TWO),
    "softmax_with_loss": _neuron("SoftmaxWithLoss", "softmax_param { axis: 2 }", bottoms=_TWO),
    "accuracy": _neuron("Accuracy", "accuracy_param { axis: 2 }", bottoms=_TWO),
}


@pytest.mark.parametrize("name", _LAYERS)
def test_third_step_allocates_little(name: str, backend: Backend) -> None:
    x = np.random.default_rng(0).normal(size=_SHAPE)
    labelled = name in ("softmax_with_loss", "accuracy")
    bottoms = [x, np.zeros(_SHAPE[:2]) if labelled else x]
    case = make_layer(_LAYERS[name], bottoms[:_LAYERS[name].count("bottom:")], backend=backend,
                      phase=TRAIN)

    def step() -> None:
        case.forward()
        case.backward()
    step()
    step()
    tracemalloc.start()
    step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Scratch is one block of 64 Ki elements, at most in float64, or two.
    assert peak < 1.2e6 < _BYTES, f"{peak} bytes"
