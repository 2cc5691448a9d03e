from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import NetError, ShapeError
from tests.harness.layers import break_op, check_broken_is_caught, make_layer, run_golden

_RNG = np.random.default_rng(0)
_N, _D = 3, 4
_C, _GATES = _RNG.normal(size=(1, _N, _D)), _RNG.normal(size=(1, _N, 4 * _D))
_CONT = np.array([[1, 0.4, 0]])
_TEXT = ('layer { name: "l" type: "LSTMUnit" bottom: "c_prev" bottom: "gates" bottom: "cont" '
         'top: "c" top: "h" }')


def test_recorded(any_backend):
    run_golden("lstm_unit", any_backend)


def _without_cont(op):
    return lambda gates, cont, *rest: op(gates, np.ones_like(cont), *rest)


def _without_the_cells_gradient(op):
    def broken(gates, cont, c_prev, tanh_c, dh, dc, d_gates):
        dc.fill(0)
        op(gates, cont, c_prev, tanh_c, dh, dc, d_gates)
    return broken


@pytest.mark.parametrize("wrt", [[0], [1], [0, 1]])
@pytest.mark.parametrize("broken", [_without_cont, _without_the_cells_gradient])
def test_gradient_with_fractional_cont(broken, wrt, any_backend64):
    # CAFFE-QUIRK, mended: Caffe's CPU code is right for 0 and 1 only.
    check_broken_is_caught(_TEXT, [_C, _GATES, _CONT],
                           break_op("recurrent", "lstm_backward", broken), wrt=wrt,
                           backend=any_backend64)


def test_values(any_backend64):
    case = make_layer(_TEXT, [_C, _GATES, _CONT], backend=any_backend64)
    case.forward()
    i, f, o = (1 / (1 + np.exp(-_GATES[0, :, k * _D:(k + 1) * _D])) for k in range(3))
    c = _CONT.T * f * _C[0] + i * np.tanh(_GATES[0, :, 3 * _D:])
    np.testing.assert_allclose(case.top[0].host_data, c[None])
    np.testing.assert_allclose(case.top[1].host_data, (o * np.tanh(c))[None])


def test_a_new_sequence_forgets_even_infinities(any_backend):
    case = make_layer(_TEXT, [np.full((1, 1, 2), np.inf), np.ones((1, 1, 8)), [[0]]],
                      backend=any_backend)
    case.forward()
    case.backward([np.ones((1, 1, 2)), np.ones((1, 1, 2))])
    np.testing.assert_allclose(case.top[0].host_data, np.tanh(1) / (1 + np.exp(-1)), rtol=1e-6)
    np.testing.assert_array_equal(case.bottom[0].host_diff, 0)
    assert np.isfinite(case.bottom[1].host_diff).all()


@pytest.mark.parametrize(("shapes", "message"), [
    (((2, 3, 4), (2, 3, 16), (2, 3)), "that of one step .*wanted .1, N, D"),
    (((3, 4), (3, 16), (3,)), "that of one step"),
    (((1, 3, 4), (1, 3, 12), (1, 3)), r"gates and cell state.*wanted \(1, 3, 16\)"),
    (((1, 3, 4), (1, 3, 16), (3, 1)), r"cont and cell state.*wanted \(1, 3\)"),
])
def test_other_shapes_are_refused(shapes, message):
    with pytest.raises(ShapeError, match=f"test.prototxt:1:.*layer 'l'.*{message}"):
        make_layer(_TEXT, [np.zeros(shape) for shape in shapes])


def test_cont_has_no_gradient():
    case = make_layer(_TEXT, [_C, _GATES, _CONT])
    assert case.default_propagate_down() == [True, True, False]
    case.forward()
    with pytest.raises(NetError, match="cont has no gradient"):
        case.backward(propagate_down=[True, True, True])
