from __future__ import annotations

import numpy as np
import pytest

from tests.harness.layers import break_op, check_broken_is_caught, make_layer, run_golden

_X = np.random.default_rng(0).normal(size=(3, 4, 2))


def _layer(top: str = "y") -> str:
    return (f'layer {{ name: "s" type: "Sigmoid" bottom: "x" top: "{top}" '
            f'sigmoid_param {{ engine: CUDNN }} }}')


def test_recorded(any_backend):
    run_golden("sigmoid", any_backend)


@pytest.mark.parametrize("top", ["x", "y"])
def test_gradient(top):
    def without_y(op):
        return lambda y, dy, dx, _: np.multiply(dy, 1 - y, out=dx)
    check_broken_is_caught(_layer(top), [_X], break_op("elementwise", "sigmoid_backward",
                                                       without_y))


def test_large_inputs_saturate():
    case = make_layer(_layer(), [[-1e4, 0, 1e4]])
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, [0, 0.5, 1])
