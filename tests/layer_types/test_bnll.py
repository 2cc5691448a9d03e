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


def _layer(top: str = "y") -> str:
    return f'layer {{ name: "b" type: "BNLL" bottom: "x" top: "{top}" }}'


def test_recorded(any_backend):
    run_golden("bnll", any_backend)


@pytest.mark.parametrize("top", ["x", "y"])
def test_gradient(top):
    for mutate in (break_slope(lambda x, slope: slope * slope), use_the_output):
        check_broken_is_caught(_layer(top), [_X], mutate)


def test_large_numbers_do_not_overflow(any_backend):
    y, dx = forward_and_back(_layer(), [-1000.0, 0.0, 60.0, 1000.0], backend=any_backend)
    np.testing.assert_allclose(y, [0, np.log(2), 60, 1000], rtol=1e-6)
    np.testing.assert_allclose(dx, [0, 0.5, 1, 1], atol=1e-7)


def test_small_results_keep_their_digits():
    y, _ = forward_and_back(_layer(), [-40.0])
    np.testing.assert_allclose(y, np.exp(-40), rtol=1e-12)


def test_large_blobs(any_backend):
    check_more_than_a_block(_layer(), any_backend)
