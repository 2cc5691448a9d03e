from __future__ import annotations

import numpy as np
import pytest

from tests.harness.layers import check_broken_is_caught, run_golden

from .pointwise_cases import (
    break_slope,
    check_more_than_a_block,
    forward_and_back,
    use_the_output,
)

_X = np.random.default_rng(0).normal(size=(3, 4, 2))


def _layer(alpha: float = 1, top: str = "y") -> str:
    return (f'layer {{ name: "e" type: "ELU" bottom: "x" top: "{top}" '
            f'elu_param {{ alpha: {alpha} }} }}')


def test_recorded(any_backend):
    run_golden("elu", any_backend)


@pytest.mark.parametrize("top", ["x", "y"])
@pytest.mark.parametrize("alpha", [1, 0.3, -0.7])
def test_gradient(alpha, top):
    for mutate in (break_slope(lambda x, slope: np.where(x > 0, 1, slope * 1.1)),
                   break_slope(lambda x, slope: np.where(x > 0, 0, slope)), use_the_output):
        check_broken_is_caught(_layer(alpha, top), [_X], mutate)


def test_gradient_at_zero_is_the_left_one():
    # CAFFE-QUIRK
    _, dx = forward_and_back(_layer(0.25), [0.0])
    assert dx == 0.25


def test_values(any_backend):
    y, _ = forward_and_back(_layer(2), [-1000.0, -1.0, 0.0, 1000.0], backend=any_backend)
    np.testing.assert_allclose(y, [-2, 2 * np.expm1(-1), 0, 1000], rtol=1e-6)


def test_large_blobs(any_backend):
    check_more_than_a_block(_layer(0.5), any_backend)
