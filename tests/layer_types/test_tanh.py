from __future__ import annotations

import numpy as np
import pytest

from tests.harness.layers import break_op, check_broken_is_caught, make_layer, run_golden

_X = np.random.default_rng(0).normal(size=(3, 4, 2))


def _layer(top: str = "y") -> str:
    return (f'layer {{ name: "t" type: "TanH" bottom: "x" top: "{top}" '
            f'tanh_param {{ engine: CAFFE }} }}')


def test_recorded(any_backend):
    run_golden("tanh", any_backend)


@pytest.mark.parametrize("top", ["x", "y"])
def test_gradient(top):
    def without_square(op):
        return lambda y, dy, dx, _: np.multiply(dy, 1 - y, out=dx)
    check_broken_is_caught(_layer(top), [_X], break_op("elementwise", "tanh_backward",
                                                       without_square))


def test_values():
    case = make_layer(_layer(), [_X])
    case.forward()
    np.testing.assert_allclose(case.top[0].host_data, np.tanh(_X))
