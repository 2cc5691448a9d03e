from __future__ import annotations

import numpy as np
import pytest

from tests.harness.layers import break_op, check_broken_is_caught, make_layer, run_golden

_X = np.random.default_rng(0).normal(size=(3, 4, 2))


def _layer(slope: float = 0, top: str = "y", extra: str = "") -> str:
    return (f'layer {{ name: "r" type: "ReLU" bottom: "x" top: "{top}" '
            f'relu_param {{ negative_slope: {slope} {extra} }} }}')


@pytest.mark.parametrize("name", ["relu", "relu_leaky"])
def test_recorded(name, any_backend):
    run_golden(name, any_backend)


@pytest.mark.parametrize("top", ["x", "y"])
@pytest.mark.parametrize("slope", [0, 0.3, -0.5])
def test_gradient(slope, top):
    def leakier(op):
        return lambda x, dy, slope, *rest: op(x, dy, slope + 0.1, *rest)
    check_broken_is_caught(_layer(slope, top), [_X], break_op("elementwise", "relu_backward",
                                                              leakier))


@pytest.mark.parametrize("slope", [0, 0.25])
def test_gradient_at_zero_is_the_left_one(slope):
    # CAFFE-QUIRK
    case = make_layer(_layer(slope), [np.zeros(2)])
    case.forward()
    case.backward([np.ones(2)])
    np.testing.assert_array_equal(case.bottom[0].host_diff, slope)


def test_nan_stays():
    case = make_layer(_layer(), [[np.nan, 1]])
    case.forward()
    assert np.isnan(case.top[0].host_data[0])


def test_engine_cudnn_means_the_default():
    case = make_layer(_layer(extra="engine: CUDNN"), [_X])
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, np.maximum(_X, 0))
