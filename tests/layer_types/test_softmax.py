from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import ShapeError
from tests.harness.layers import break_op, check_broken_is_caught, make_layer, run_golden

_X = np.random.default_rng(0).normal(size=(3, 4, 2))


def _layer(axis: int = 1, top: str = "y") -> str:
    return (f'layer {{ name: "s" type: "Softmax" bottom: "x" top: "{top}" '
            f'softmax_param {{ axis: {axis} engine: CUDNN }} }}')


@pytest.mark.parametrize("name", ["softmax", "softmax_axis2"])
def test_recorded(name, any_backend):
    run_golden(name, any_backend)


@pytest.mark.parametrize("top", ["x", "y"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_gradient(axis, top):
    def without_sum(op):
        return lambda y, dy, dx, _: np.multiply(dy, y, out=dx)
    check_broken_is_caught(_layer(axis, top), [_X], break_op("softmax_loss", "softmax_backward",
                                                             without_sum))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_values(axis):
    case = make_layer(_layer(axis), [_X])
    case.forward()
    want = np.exp(_X) / np.exp(_X).sum(axis, keepdims=True)
    np.testing.assert_allclose(case.top[0].host_data, want)


def test_large_scores_do_not_overflow():
    case = make_layer(_layer(), [[[1000.0, 1000.0, -1000.0]]])
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, [[0.5, 0.5, 0]])


def test_no_rows_give_no_rows():
    case = make_layer(_layer(), [np.zeros((0, 4))])
    case.forward()
    assert case.top[0].shape == (0, 4)


def test_an_axis_that_does_not_exist_is_refused():
    with pytest.raises(ShapeError, match="axis 3 is out of range"):
        make_layer(_layer(3), [_X])
