"""A layer takes no memory in a steady training step: every type of the table, and variants."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from caffe_lrcn.backends import Backend
from caffe_lrcn.layer_types import TYPES
from tests.harness.layers import TRAIN, Case, make_layer
from tests.harness.steady import LIMIT, steady_peak

_RNG = np.random.default_rng(0)
_X = _RNG.normal(size=(10, 16, 30, 40))
_ROWS = abs(_RNG.normal(size=(500, 200)))
_CONT = np.ones(_X.shape[:2])
_CONT[[0, 3]] = 0
_FILL = 'weight_filler { type: "xavier" }'
# As many words as in a batch of the paper, T x N, of which some are padding.
_WORDS = _RNG.integers(-1, 50, (20, 100))
_WORDS[:2] = -1
_LABELS = np.maximum(_WORDS, 0).reshape(-1)
_SCORES = abs(_RNG.normal(size=(20, 100, 50)))
_SAMPLES = _SCORES.reshape(2000, 50)
_BEGIN = _RNG.integers(0, 2, _WORDS.shape)
_BEGIN[0] = 0
_PADDED = "loss_param { ignore_label: -1 }"
_TABLE = f"embed_param {{ input_dim: 50 num_output: 40 {_FILL} }}"
_WINDOW = "kernel_size: 3 stride: 2"
_RECURRENT = f"recurrent_param {{ num_output: 24 {_FILL} }}"

#: What takes memory in each step, and why.
_EXCEPTIONS = {
    "Filter": "the tops' size depends on the data",
    "HDF5Output": "writes a file",
    "Python": "the user's code",
    **dict.fromkeys(("Data", "HDF5Data", "ImageData", "MemoryData", "VideoData",
                     "WindowData"),
                    "takes batches from a source"),
    "DummyData": "its fillers return new arrays",
}
#: "Type" or "Type variant": parameters, bottoms, and the number of tops where it is not 1.
_CASES: dict[str, tuple[Any, ...]] = {
    "AbsVal": ("", [_X]),
    "Accuracy": ("", [_SAMPLES, _LABELS]),
    "Accuracy of classes": ("accuracy_param { axis: 2 ignore_label: -1 }", [_SCORES, _WORDS], 2),
    "ArgMax": ("", [_X]),
    "ArgMax values": ("argmax_param { axis: 2 out_max_val: true }", [_SCORES]),
    "BNLL": ("", [_X]),
    "BatchNorm": ("", [_X]),
    "BatchNorm global": ("batch_norm_param { use_global_stats: true }", [_X]),
    "BatchReindex": ("", [_X, _RNG.integers(0, 10, 20)]),
    "Bias": ("", [_X]),
    "Clip": ("clip_param { min: -1 max: 1 }", [_X]),
    "Concat": ("", [_X, _X]),
    "ContrastiveLoss": ("", [_SAMPLES, _SAMPLES[::-1], _RNG.integers(0, 2, 2000)]),
    "Convolution": (f"convolution_param {{ num_output: 8 {_WINDOW} {_FILL} }}", [_X]),
    "Crop": ("crop_param { axis: 2 offset: 2 }", [_X, _X[:, :, 10:, 10:]]),
    "Deconvolution": (f"convolution_param {{ num_output: 4 {_WINDOW} {_FILL} }}", [_X]),
    "Dropout": ("", [_X]),
    "ELU": ("", [_X]),
    "Eltwise": ("", [_X, _X]),
    "Eltwise MAX": ("eltwise_param { operation: MAX }", [_X, -_X, _X + 1]),
    "Eltwise PROD": ("eltwise_param { operation: PROD }", [_X, _X, _X]),
    "Eltwise coeff_blob": ("eltwise_param { coeff_blob: true }",
                           [_X, _X, _RNG.normal(size=(2, 10, 16))]),
    "Embed": (_TABLE, [_LABELS]),
    "Embed padded": (_TABLE, [_WORDS]),
    "EuclideanLoss": ("", [_X, _X[::-1]]),
    "Exp": ("", [_X]),
    "Flatten": ("", [_X]),
    "GRU": (_RECURRENT, [_X, _CONT]),
    "HingeLoss": ("", [_SAMPLES, _LABELS]),
    "HingeLoss L2": ("hinge_loss_param { norm: L2 }", [_SAMPLES, _LABELS]),
    "Im2col": (f"convolution_param {{ {_WINDOW} }}", [_X]),
    "InfogainLoss": ("", [_SAMPLES, _LABELS, _RNG.random((50, 50))]),
    "InfogainLoss padded": (f"infogain_loss_param {{ axis: 2 }} {_PADDED}",
                            [_SCORES, _WORDS, _RNG.random((50, 50))]),
    "InnerProduct": (f"inner_product_param {{ num_output: 50 {_FILL} }}", [_X]),
    "Input": ("input_param { shape { dim: 100 dim: 200 } }", []),
    "LRN": ("", [_X]),
    "LRN within": ("lrn_param { norm_region: WITHIN_CHANNEL }", [_X]),
    "LSTM": (_RECURRENT, [_X, _CONT]),
    "LSTM static": (_RECURRENT, [_X, _CONT, _ROWS[:16]]),
    "LSTMUnit": ("", [_ROWS[None], _RNG.normal(size=(1, 500, 800)), np.ones((1, 500))], 2),
    "Log": ("log_param { shift: 100 }", [_X]),
    "MVN": ("", [_X]),
    "MultinomialLogisticLoss": ("", [_SAMPLES, _LABELS]),
    "PReLU": ("", [_X]),
    "Parameter": ("parameter_param { shape { dim: 100 dim: 200 } }", []),
    "Pooling": (f"pooling_param {{ {_WINDOW} }}", [_X], 2),
    "Pooling AVE": (f"pooling_param {{ pool: AVE {_WINDOW} }}", [_X]),
    "Pooling STOCHASTIC": (f"pooling_param {{ pool: STOCHASTIC {_WINDOW} }}", [abs(_X)]),
    "Pooling of NaN": (f"pooling_param {{ {_WINDOW} }}", [np.full_like(_X, np.nan)]),
    "Power": ("power_param { power: 3 }", [_X]),
    "RNN": (_RECURRENT, [_X, _CONT]),
    "ReLU": ("", [_X]),
    "ReLU leaky": ("relu_param { negative_slope: 0.1 }", [_X]),
    "Reduction": ("reduction_param { axis: 2 }", [_X]),
    "Reduction SUMSQ": ("reduction_param { axis: 1 operation: SUMSQ }", [_X]),
    "Reduction ASUM": ("reduction_param { axis: 0 operation: ASUM }", [_X]),
    "Reshape": ("reshape_param { shape { dim: 0 dim: -1 } }", [_X]),
    "Reverse": ("", [_SCORES, _BEGIN]),
    "SPP": ("spp_param { pyramid_height: 3 }", [_X]),
    "Scalar": ("scalar_param { axis: 1 }", [_X, _RNG.normal(size=16)]),
    "Scale": ("scale_param { bias_term: true }", [_X]),
    "Sigmoid": ("", [_X]),
    "SigmoidCrossEntropyLoss": ("", [_X, _X]),
    "Silence": ("", [_X], 0),
    "Slice": ("", [_X], 2),
    "Softmax": ("", [_X]),
    "Softmax of two": ("", [_RNG.normal(size=(10_000, 2))]),
    "SoftmaxWithLoss": ("", [_SAMPLES, _LABELS]),
    "SoftmaxWithLoss padded": (f"softmax_param {{ axis: 2 }} {_PADDED}", [_SCORES, _WORDS]),
    "Split": ("", [_X], 3),
    "Swish": ("", [_X]),
    "TanH": ("", [_X]),
    "Threshold": ("", [_X]),
    "Tile": ("tile_param { tiles: 2 }", [_X]),
}
#: Those without a backward pass.
_FORWARD_ONLY = ("Accuracy", "ArgMax", "Threshold")


def _case(name: str, backend: Backend) -> Case:
    param, bottoms, *tops = _CASES[name]
    names = [f'bottom: "b{i}"' for i in range(len(bottoms))]
    names += [f'top: "t{i}"' for i in range(tops[0] if tops else 1)]
    return make_layer(f'layer {{ name: "l" type: "{name.split()[0]}" {" ".join(names)} {param} }}',
                      bottoms, backend=backend, phase=TRAIN)


def _step(case: Case, backward: bool = True) -> Callable[[], None]:
    def step() -> None:
        case.forward()
        if backward:
            case.backward()
    return step


def test_every_type_is_covered() -> None:
    assert {name.split()[0] for name in _CASES} | set(_EXCEPTIONS) == set(TYPES)
    assert not {name.split()[0] for name in _CASES} & set(_EXCEPTIONS)


@pytest.mark.parametrize("name", _CASES)
def test_a_steady_step_allocates_nothing(name: str, backend: Backend) -> None:
    peak = steady_peak(_step(_case(name, backend), name.split()[0] not in _FORWARD_ONLY))
    assert peak < LIMIT, f"{peak} bytes"


@pytest.mark.parametrize("name", ["InnerProduct", "Convolution", "LSTM"])
def test_nor_does_one_without_onednn(name: str, backend: Backend, monkeypatch: Any) -> None:
    for module in ("blas", "conv"):
        monkeypatch.setattr(f"caffe_lrcn.backends.cpu.{module}.library", lambda: None)
    assert steady_peak(_step(_case(name, backend))) < LIMIT


def test_an_array_that_is_made_in_a_step_is_seen(backend: Backend) -> None:
    case = _case("Sigmoid", backend)
    true = case.layer.forward

    def forward(bottom: Any, top: Any) -> None:
        true([type("Copy", (), {"data": bottom[0].data.copy()})], top)
    case.layer.forward = forward  # type: ignore[method-assign]
    assert steady_peak(_step(case)) > _X.size * 4
