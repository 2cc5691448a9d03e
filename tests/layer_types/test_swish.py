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


def _layer(beta: float = 1, top: str = "y") -> str:
    return (f'layer {{ name: "s" type: "Swish" bottom: "x" top: "{top}" '
            f'swish_param {{ beta: {beta} }} }}')


def test_recorded(any_backend):
    run_golden("swish", any_backend)


@pytest.mark.parametrize("top", ["x", "y"])
@pytest.mark.parametrize("beta", [1, 2.5, -0.7])
def test_gradient(beta, top):
    def only_the_gate(x, slope):
        return 1 / (1 + np.exp(-beta * x))
    for mutate in (break_slope(only_the_gate), use_the_output):
        check_broken_is_caught(_layer(beta, top), [_X], mutate)


def test_beta_zero_halves():
    y, dx = forward_and_back(_layer(0), [3.0, -5.0])
    np.testing.assert_allclose(y, [1.5, -2.5])
    np.testing.assert_allclose(dx, 0.5)


def test_large_numbers(any_backend):
    y, dx = forward_and_back(_layer(), [-1000.0, 1000.0], backend=any_backend)
    np.testing.assert_allclose(y, [0, 1000])
    np.testing.assert_allclose(dx, [0, 1])


def test_large_blobs(any_backend):
    check_more_than_a_block(_layer(1.5), any_backend)
