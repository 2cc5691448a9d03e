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

_X = np.random.default_rng(0).uniform(0.5, 2, (3, 4, 2))


def _layer(base: float = -1, scale: float = 1, shift: float = 0, top: str = "y") -> str:
    return (f'layer {{ name: "l" type: "Log" bottom: "x" top: "{top}" '
            f'log_param {{ base: {base} scale: {scale} shift: {shift} }} }}')


def test_recorded(any_backend):
    run_golden("log", any_backend)


@pytest.mark.parametrize("top", ["x", "y"])
@pytest.mark.parametrize(("base", "scale", "shift"), [(-1, 1, 0), (2, 0.7, 0.5), (0.5, -1, 3)])
def test_gradient(base, scale, shift, top):
    for mutate in (break_slope(lambda x, slope: slope * 1.1),
                   break_slope(lambda x, slope: slope + 0.1), use_the_output):
        check_broken_is_caught(_layer(base, scale, shift, top), [_X], mutate)


def test_values(any_backend):
    y, dx = forward_and_back(_layer(10, 2, 1), [4.5, 49.5], backend=any_backend)
    np.testing.assert_allclose(y, [1, 2], rtol=1e-6)
    np.testing.assert_allclose(dx, 2 / np.log(10) / np.array([10, 100]), rtol=1e-6)


def test_arguments_that_have_no_logarithm():
    y, _ = forward_and_back(_layer(), [0.0, -1.0])
    assert y[0] == -np.inf and np.isnan(y[1])


def test_large_blobs(any_backend):
    check_more_than_a_block(_layer(2, 0.5, 1), any_backend, low=0.5)


@pytest.mark.parametrize(("base", "message"), [
    ("0", "base has no log"), ("-2", "base has no log"), ("inf", "base has no log"),
    ("1", "no logarithm to base 1")])
def test_bases_without_a_logarithm_are_refused(base, message):
    with pytest.raises(PrototxtError, match=rf"test.prototxt:1:\d+: layer 'l': .*{message}"):
        make_layer(_layer(base), [_X])
