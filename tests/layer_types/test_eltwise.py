from __future__ import annotations

import logging

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError, ShapeError
from caffe_lrcn.layer_types.base import Settings
from tests.harness.layers import (
    break_op,
    check_broken_is_caught,
    check_gradients,
    during_backward,
    make_layer,
    run_golden,
)

_RNG = np.random.default_rng(0)
_XS = [_RNG.normal(size=(2, 3, 4)) for _ in range(3)]


def _layer(param: str, bottoms: int = 3) -> str:
    names = " ".join(f'bottom: "x{i}"' for i in range(bottoms))
    return f'layer {{ name: "e" type: "Eltwise" {names} top: "y" eltwise_param {{ {param} }} }}'


@pytest.mark.parametrize("name", ["eltwise_sum", "eltwise_prod", "eltwise_coeff"])
def test_recorded(name, any_backend):
    run_golden(name, any_backend)


def _swapped(layer):
    """Gives the first two bottoms each other's gradient."""
    backward = layer.backward

    def broken(top, down, bottom):
        backward(top, down, bottom)
        first = bottom[0].diff.copy()
        bottom[0].diff[...] = bottom[1].diff
        bottom[1].diff[...] = first
    layer.backward = broken


@pytest.mark.parametrize("param", [
    "coeff: 0.5 coeff: -2 coeff: 1", "operation: MAX", "operation: PROD",
    "operation: PROD stable_prod_grad: false"])
def test_gradient(param):
    check_broken_is_caught(_layer(param), _XS, _swapped, wrt=[0, 1, 2])


def test_gradient_of_a_plain_sum():
    check_gradients(_layer(""), _XS, wrt=[0, 1, 2])


def test_strict_unstable_product_gradient_is_the_same_away_from_zero():
    check_gradients(_layer("operation: PROD stable_prod_grad: false"), _XS, wrt=[0, 1, 2],
                    settings=Settings(strict=True))


@pytest.mark.parametrize("strict", [False, True])
def test_unstable_product_gradient_at_zero(strict):
    # CAFFE-QUIRK: the reference divides the product by the bottom.
    case = make_layer(_layer("operation: PROD stable_prod_grad: false", 2), [[0.0], [3.0]],
                      settings=Settings(strict=strict))
    case.forward()
    case.backward([[1]])
    got = case.bottom[0].host_diff[0]
    assert np.isnan(got) if strict else got == 3


def test_ties_of_max():
    # CAFFE-QUIRK: the second bottom wins over the first, no later one over them.
    case = make_layer(_layer("operation: MAX"), [[1.0], [1.0], [1.0]])
    case.forward()
    case.backward([[1]])
    assert [blob.host_diff[0] for blob in case.bottom] == [0, 1, 0]


def test_max_ignores_coeff_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        case = make_layer(_layer("operation: MAX coeff: -1 coeff: 5", 2), [[1.0], [2.0]])
    case.forward()
    assert case.top[0].host_data == 2
    assert "coeff has no effect" in caplog.text


_FACTORS = [(2,), (2, 2), (2, 2, 3), (2, 2, 3, 4)]


@pytest.mark.parametrize("shape", _FACTORS)
def test_factors_of_a_bottom(shape, any_backend):
    factors = _RNG.normal(size=shape)
    case = make_layer(_layer("coeff_blob: true coeff: 0.5 coeff: -2"), [*_XS[:2], factors],
                      backend=any_backend)
    case.forward()
    spread = factors.reshape(shape + (1,) * (4 - len(shape)))
    np.testing.assert_allclose(case.top[0].host_data,
                               0.5 * spread[0] * _XS[0] - 2 * spread[1] * _XS[1],
                               rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", _FACTORS)
@pytest.mark.parametrize("coeff", ["", "coeff: 0.5 coeff: -2"])
def test_gradient_with_factors(coeff, shape):
    bottoms = [*_XS[:2], _RNG.normal(size=shape)]
    lost = break_op("elementwise", "sum_to_channels",
                    lambda op: lambda x, *rest: op(1.1 * x, *rest))
    for mutate, wrt in ((lost, [2]), (_swapped, [0, 1, 2]),
                        (during_backward("_coeff", lambda coeff: [3, 4]), [2, 0, 1])):
        check_broken_is_caught(_layer(f"coeff_blob: true {coeff}"), bottoms, mutate, wrt=wrt)


def test_factors_of_a_single_input():
    case = make_layer(_layer("coeff_blob: true", 2), [[[1.0, 2.0], [3.0, 4.0]], [[10.0, 100.0]]])
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, [[10, 20], [300, 400]])


@pytest.mark.parametrize("shape", [(3,), (), (2, 3), (2, 2, 3, 4, 1)])
def test_factors_that_do_not_fit_are_refused(shape):
    with pytest.raises(ShapeError, match="layer 'e': the factors do not fit the inputs"):
        make_layer(_layer("coeff_blob: true"), [*_XS[:2], np.zeros(shape)])


@pytest.mark.parametrize("operation", ["PROD", "MAX"])
def test_factors_need_a_sum(operation):
    with pytest.raises(PrototxtError, match=f"coeff_blob works with SUM.*operation: {operation}"):
        make_layer(_layer(f"coeff_blob: true operation: {operation}"), [*_XS[:2], np.zeros(2)])


@pytest.mark.parametrize(("param", "message"), [
    ("coeff_blob: true coeff: 1 coeff: 1 coeff: 1", "got 3, wanted 2"),
    ("operation: PROD coeff: 1 coeff: 1 coeff: 1", "SUM only"), ("coeff: 1", "got 1, wanted 3")])
def test_wrong_coefficients_are_refused(param, message):
    with pytest.raises(PrototxtError, match=message):
        make_layer(_layer(param), _XS)


def test_different_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"got \(4,\), wanted \(3,\)"):
        make_layer(_layer("", 2), [np.zeros(3), np.zeros(4)])
