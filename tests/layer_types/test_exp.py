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


def _layer(base: float = -1, scale: float = 1, shift: float = 0, top: str = "y") -> str:
    return (f'layer {{ name: "e" type: "Exp" bottom: "x" top: "{top}" '
            f'exp_param {{ base: {base} scale: {scale} shift: {shift} }} }}')


def test_recorded(any_backend):
    run_golden("exp", any_backend)


@pytest.mark.parametrize("top", ["x", "y"])
@pytest.mark.parametrize(("base", "scale", "shift"), [(-1, 1, 0), (2, 0.7, 0.5), (0.5, -1, 3)])
def test_gradient(base, scale, shift, top):
    for mutate in (break_slope(lambda x, slope: slope + 0.1), use_the_output):
        check_broken_is_caught(_layer(base, scale, shift, top), [_X], mutate)


def test_values(any_backend):
    y, _ = forward_and_back(_layer(3, 2, 1), [0.5, -1.0], backend=any_backend)
    np.testing.assert_allclose(y, [9, 1 / 3], rtol=1e-6)
    y, _ = forward_and_back(_layer(1, 2, 1), [0.5, -1.0], backend=any_backend)
    np.testing.assert_array_equal(y, 1)


def test_overflow_is_infinite_without_a_warning():
    y, _ = forward_and_back(_layer(), [1e4])
    assert y == np.inf


def test_large_blobs(any_backend):
    check_more_than_a_block(_layer(2, 0.5, 1), any_backend)


@pytest.mark.parametrize("base", ["0", "-2", "inf", "nan"])
def test_bases_without_a_logarithm_are_refused(base):
    with pytest.raises(PrototxtError, match=r"test.prototxt:1:\d+: layer 'e': base has no log"):
        make_layer(_layer(base), [_X])
