from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import ShapeError
from caffe_lrcn.layer_types import layer_class
from tests.harness.layers import (
    after_backward,
    check_broken_is_caught,
    during_backward,
    make_layer,
    run_golden,
)

_X = np.random.default_rng(0).normal(size=(3, 4, 2))
_WANT = {"SUM": lambda x: x.sum(-1), "MEAN": lambda x: x.mean(-1),
         "ASUM": lambda x: abs(x).sum(-1), "SUMSQ": lambda x: (x * x).sum(-1)}


def _layer(operation: str = "SUM", axis: int = 0, coeff: float = 1) -> str:
    return (f'layer {{ name: "r" type: "Reduction" bottom: "x" top: "y" '
            f'reduction_param {{ operation: {operation} axis: {axis} coeff: {coeff} }} }}')


@pytest.mark.parametrize("name", ["reduction_sum", "reduction_mean"])
def test_recorded(name, any_backend):
    run_golden(name, any_backend)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("operation", _WANT)
def test_values(operation, axis, any_backend):
    case = make_layer(_layer(operation, axis, -1.5), [_X], backend=any_backend)
    case.forward()
    shape = _X.shape[:axis % 3]
    assert case.top[0].shape == shape
    np.testing.assert_allclose(case.top[0].host_data,
                               -1.5 * _WANT[operation](_X.reshape(*shape, -1)), rtol=1e-5)


def _as_a_sum(top, bottom):
    spread = top[0].diff.reshape(*top[0].shape, *[1] * (3 - len(top[0].shape)))
    bottom[0].diff[...] = -0.7 * spread


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("operation", _WANT)
def test_gradient(operation, axis):
    mutations = [during_backward("_coeff", lambda coeff: 1)]
    if operation in ("ASUM", "SUMSQ"):
        mutations.append(after_backward(_as_a_sum))
    for mutate in mutations:
        check_broken_is_caught(_layer(operation, axis, -0.7), [_X], mutate)


def test_nothing_sums_to_zero():
    case = make_layer(_layer("MEAN", 1), [np.zeros((2, 0))])
    case.forward()
    case.backward([np.ones(2)])
    np.testing.assert_array_equal(case.top[0].host_data, [0, 0])


def test_axes_that_are_not_there_are_refused():
    with pytest.raises(ShapeError, match=r"test.prototxt:1:\d+: layer 'r': axis 3 is out of range"):
        make_layer(_layer(axis=3), [_X])


def test_refuses_to_work_in_place():
    assert not layer_class("Reduction").allows_in_place
