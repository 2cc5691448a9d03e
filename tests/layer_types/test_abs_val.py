from __future__ import annotations

import numpy as np

from caffe_lrcn.layer_types import layer_class
from tests.harness.layers import check_broken_is_caught, run_golden

from .pointwise_cases import break_slope, check_more_than_a_block, forward_and_back

_X = np.random.default_rng(0).normal(size=(3, 4, 2))
_LAYER = 'layer { name: "a" type: "AbsVal" bottom: "x" top: "y" }'


def test_recorded(any_backend):
    run_golden("absval", any_backend)


def test_gradient():
    check_broken_is_caught(_LAYER, [_X], break_slope(lambda x, slope: abs(slope)))


def test_gradient_at_zero_is_zero():
    y, dx = forward_and_back(_LAYER, [-2.0, 0.0, 3.0])
    np.testing.assert_array_equal(y, [2, 0, 3])
    np.testing.assert_array_equal(dx, [-1, 0, 1])


def test_large_blobs(any_backend):
    check_more_than_a_block(_LAYER, any_backend)


def test_refuses_to_work_in_place():
    assert not layer_class("AbsVal").allows_in_place
