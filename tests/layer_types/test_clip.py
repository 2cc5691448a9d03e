from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError
from tests.harness.layers import check_broken_is_caught, make_layer, run_golden

from .pointwise_cases import (
    break_slope,
    check_more_than_a_block,
    forward_and_back,
    use_the_output,
)

_X = np.random.default_rng(0).normal(size=(3, 4, 2))


def _layer(low: float = -0.5, high: float = 0.8, top: str = "y") -> str:
    return (f'layer {{ name: "c" type: "Clip" bottom: "x" top: "{top}" '
            f'clip_param {{ min: {low} max: {high} }} }}')


def test_recorded(any_backend):
    run_golden("clip", any_backend)


@pytest.mark.parametrize("top", ["x", "y"])
def test_gradient(top):
    for mutate in (break_slope(lambda x, slope: x <= 0.8), break_slope(lambda x, slope: x >= -0.5),
                   use_the_output):
        check_broken_is_caught(_layer(top=top), [_X], mutate)


def test_the_limits_pass_the_gradient():
    # CAFFE-QUIRK
    y, dx = forward_and_back(_layer(-1, 2), [-1.5, -1.0, 0.0, 2.0, 2.5])
    np.testing.assert_array_equal(y, [-1, -1, 0, 2, 2])
    np.testing.assert_array_equal(dx, [0, 1, 1, 1, 0])


def test_the_lower_limit_wins_over_a_smaller_upper_one():
    y, _ = forward_and_back(_layer(2, 1), [0.0, 3.0])
    np.testing.assert_array_equal(y, [2, 2])


def test_large_blobs(any_backend):
    check_more_than_a_block(_layer(), any_backend)


def test_limits_are_required():
    with pytest.raises(PrototxtError, match="layer 'c': clip_param is missing"):
        make_layer('layer { name: "c" type: "Clip" bottom: "x" top: "y" }', [_X])
    with pytest.raises(PrototxtError, match="max"):
        make_layer('layer { name: "c" type: "Clip" bottom: "x" top: "y" clip_param { min: 0 } }',
                   [_X])
