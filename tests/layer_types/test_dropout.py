from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.rng import random_words
from tests.harness.layers import TRAIN, break_op, check_broken_is_caught, make_layer, run_golden

_X = np.random.default_rng(0).normal(size=(5, 8))


def _layer(ratio: float = 0.4, top: str = "y") -> str:
    return (f'layer {{ name: "drop" type: "Dropout" bottom: "x" top: "{top}" '
            f'dropout_param {{ dropout_ratio: {ratio} }} }}')


def test_recorded(any_backend):
    run_golden("dropout_test", any_backend)


@pytest.mark.parametrize("top", ["x", "y"])
def test_gradient_in_training(top):
    def all_kept(op):
        return lambda dy, mask, threshold, scale, dx, _: np.multiply(dy, scale, out=dx)
    check_broken_is_caught(_layer(top=top), [_X],
                           break_op("elementwise", "dropout_backward", all_kept), phase=TRAIN)


@pytest.mark.parametrize("top", ["x", "y"])
def test_identity_in_testing(top):
    case = make_layer(_layer(top=top), [_X])
    case.forward()
    case.backward([2 * _X])
    np.testing.assert_array_equal(case.top[0].host_data, _X)
    np.testing.assert_array_equal(case.bottom[0].host_diff, 2 * _X)


def test_mask_comes_from_the_layers_stream(any_backend64):
    case = make_layer(_layer(), [_X], phase=TRAIN, backend=any_backend64)
    for call in range(2):
        case.forward()
        words = random_words(case.layer.random_key("mask"), call, _X.size).reshape(_X.shape)
        ratio = np.float32(0.4)
        want = np.where(words >= int(ratio * 2**32), _X / (1 - float(ratio)), 0)
        np.testing.assert_allclose(case.top[0].host_data, want)


def test_share_of_dropped_units():
    case = make_layer(_layer(0.3), [np.ones((400, 500))], phase=TRAIN)
    case.forward()
    assert (case.top[0].host_data == 0).mean() == pytest.approx(0.3, abs=0.005)
    assert case.top[0].host_data.mean() == pytest.approx(1, abs=0.01)


def test_every_pass_draws_anew_and_state_brings_a_mask_back():
    case = make_layer(_layer(), [_X], phase=TRAIN)
    state = case.layer.state()
    passes = []
    for _ in range(2):
        case.forward()
        passes.append(case.top[0].host_data.copy())
    assert (passes[0] != passes[1]).any()
    case.layer.restore(state)
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, passes[0])


def test_ratio_zero_drops_nothing():
    case = make_layer(_layer(0), [_X], phase=TRAIN)
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, _X)


@pytest.mark.parametrize("ratio", [1, -0.1, 2])
def test_impossible_ratios_are_refused(ratio):
    with pytest.raises(PrototxtError, match="at least 0, below 1"):
        make_layer(_layer(ratio), [_X])
