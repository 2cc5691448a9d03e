from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import ShapeError
from tests.harness.layers import check_broken_is_caught, make_layer, run_golden

_RNG = np.random.default_rng(0)
_A, _B = _RNG.normal(size=(4, 3)), _RNG.normal(size=(4, 3))
_TEXT = ('layer { name: "e" type: "EuclideanLoss" bottom: "a" bottom: "b" top: "loss" '
         'loss_weight: 3 }')


def test_recorded(any_backend):
    run_golden("euclidean", any_backend)


@pytest.mark.parametrize("loss", [False, True])
def test_gradient(loss):
    def same_sign(layer):
        backward = layer.backward

        def broken(top, down, bottom):
            backward(top, down, bottom)
            bottom[1].diff[...] *= -1
        layer.backward = broken
    check_broken_is_caught(_TEXT, [_A, _B], same_sign, wrt=[0, 1], loss=loss)


def test_value():
    case = make_layer(_TEXT, [_A, _B])
    case.forward()
    assert case.top[0].shape == ()
    assert case.top[0].host_data == pytest.approx(((_A - _B) ** 2).sum() / 8)


def test_both_bottoms_may_be_forced_to_have_a_gradient():
    assert make_layer(_TEXT, [_A, _B]).default_propagate_down() == [True, True]


@pytest.mark.parametrize("shape", [(3, 4), (4, 2)])
def test_different_sizes_are_refused(shape):
    with pytest.raises(ShapeError, match="test.prototxt:1:.*(differ in|must have one shape)"):
        make_layer(_TEXT, [_A, np.zeros(shape)])
