from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import ShapeError
from caffe_lrcn.layer_types import layer_class
from tests.harness.layers import (
    break_op,
    check_broken_is_caught,
    during_backward,
    make_layer,
)

_RNG = np.random.default_rng(0)
_X = _RNG.normal(size=(3, 4, 2))


def _layer(axis: int = 0) -> str:
    return (f'layer {{ name: "s" type: "Scalar" bottom: "x" bottom: "s" top: "y" '
            f'scalar_param {{ axis: {axis} }} }}')


_CASES = [(0, (3,)), (0, (3, 4)), (0, (3, 4, 2)), (1, (4,)), (-1, (2,)), (1, (4, 2)), (0, ())]


@pytest.mark.parametrize(("axis", "shape"), _CASES)
def test_gradient(axis, shape):
    without_factor = during_backward(
        "_scale", lambda true: lambda x, factor, out: out.__setitem__(..., x))
    lost = break_op("elementwise", "sum_to_channels",
                    lambda op: lambda x, *rest: op(1.1 * x, *rest))
    factor = _RNG.normal(size=shape)
    check_broken_is_caught(_layer(axis), [_X, factor], lost, wrt=[0, 1])
    check_broken_is_caught(_layer(axis), [_X, factor], without_factor, wrt=[0])


@pytest.mark.parametrize(("axis", "shape"), _CASES)
def test_values(axis, shape, any_backend):
    factor = _RNG.normal(size=shape)
    case = make_layer(_layer(axis), [_X, factor], backend=any_backend)
    case.forward()
    spread = factor.reshape((1,) * (axis % 3) + shape + (1,) * (3 - axis % 3 - len(shape)))
    np.testing.assert_allclose(case.top[0].host_data, _X * spread, rtol=1e-6)


@pytest.mark.parametrize(("axis", "shape"), [(0, (4,)), (2, (2, 1)), (0, (3, 4, 2, 1))])
def test_factors_that_do_not_fit_are_refused(axis, shape):
    with pytest.raises(ShapeError, match="layer 's': the factor does not fit the bottom"):
        make_layer(_layer(axis), [_X, np.zeros(shape)])


def test_axes_that_are_not_there_are_refused():
    with pytest.raises(ShapeError, match=r"test.prototxt:1:\d+: layer 's': axis 3 is out of range"):
        make_layer(_layer(3), [_X, np.zeros(2)])


def test_refuses_to_work_in_place():
    assert not layer_class("Scalar").allows_in_place
