from __future__ import annotations

import logging

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError, ShapeError
from caffe_lrcn.layer_types.base import Settings
from tests.harness.layers import check_broken_is_caught, check_gradients, make_layer, run_golden

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


@pytest.mark.parametrize(("param", "message"), [
    ("operation: PROD coeff: 1 coeff: 1 coeff: 1", "SUM only"), ("coeff: 1", "got 1, wanted 3")])
def test_wrong_coefficients_are_refused(param, message):
    with pytest.raises(PrototxtError, match=message):
        make_layer(_layer(param), _XS)


def test_different_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"got \(4,\), wanted \(3,\)"):
        make_layer(_layer("", 2), [np.zeros(3), np.zeros(4)])
