from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.layer_types.base import Settings
from tests.harness.layers import (
    break_op,
    check_broken_is_caught,
    check_gradients,
    make_layer,
    run_golden,
)

_X = np.random.default_rng(0).uniform(0.5, 2, (3, 4))


def _layer(power: float = 1, scale: float = 1, shift: float = 0, top: str = "y") -> str:
    return (f'layer {{ name: "p" type: "Power" bottom: "x" top: "{top}" '
            f'power_param {{ power: {power} scale: {scale} shift: {shift} }} }}')


def test_recorded(any_backend):
    run_golden("power", any_backend)


@pytest.mark.parametrize("top", ["x", "y"])
@pytest.mark.parametrize(("power", "scale", "shift"), [
    (1, 3, 0.5), (2, 1.5, 0.3), (2, 1.5, 0), (3, 1, 0), (-0.37, 0.8, 2), (2.5, 2, 0.1)])
def test_gradient(power, scale, shift, top):
    def off(op):
        return lambda x, y, dy, power, *rest: op(x, y, dy, power + 0.5, *rest)
    check_broken_is_caught(_layer(power, scale, shift, top), [_X],
                           break_op("elementwise", "power_backward", off))


@pytest.mark.parametrize(("power", "scale", "shift"), [(-0.37, 0.8, 2), (3, 1, 0)])
def test_strict_gradient_is_the_same_away_from_zero(power, scale, shift):
    check_gradients(_layer(power, scale, shift), [_X], settings=Settings(strict=True))


@pytest.mark.parametrize(("power", "scale", "shift", "want"),
                         [(0, 2, 3, 1), (2, 0, 3, 9), (0, 0, 0, 1)])
def test_constant_where_nothing_depends_on_the_input(power, scale, shift, want):
    case = make_layer(_layer(power, scale, shift), [_X])
    case.forward()
    case.backward([np.ones(_X.shape)])
    assert (case.top[0].host_data == want).all()
    assert not case.bottom[0].host_diff.any()


@pytest.mark.parametrize("strict", [False, True])
def test_gradient_at_zero(strict):
    # CAFFE-QUIRK: the reference computes it as y / x.
    case = make_layer(_layer(3), [[0.0, 2.0]], settings=Settings(strict=strict))
    case.forward()
    case.backward([np.ones(2)])
    first, second = case.bottom[0].host_diff
    assert np.isnan(first) if strict else first == 0
    assert second == pytest.approx(12)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(("power", "want", "slope"),
                         [(-1, -np.inf, np.inf), (-2, np.inf, -np.inf)])
def test_the_sign_of_zero_decides_about_infinities(power, want, slope, strict, any_backend64):
    """0 times a negative scale is -0, and -0 to the power -1 is -inf, as in Caffe."""
    case = make_layer(_layer(power, -2), [[0.0, 0.5]], backend=any_backend64,
                      settings=Settings(strict=strict))
    case.forward()
    case.backward([np.ones(2)])
    assert (case.top[0].host_data[0], case.bottom[0].host_diff[0]) == (want, slope)
