from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.layer_types import layer_class
from tests.harness.layers import check_broken_is_caught, make_layer, run_golden

_X = np.random.default_rng(0).normal(size=(2, 3))


def _layer(tops: int) -> str:
    names = " ".join(f'top: "y{i}"' for i in range(tops))
    return f'layer {{ name: "s" type: "Split" bottom: "x" {names} }}'


def test_recorded(any_backend):
    run_golden("split", any_backend)


@pytest.mark.parametrize("tops", [1, 2, 4])
def test_gradient(tops):
    def last_forgotten(layer):
        backward = layer.backward

        def broken(top, down, bottom):
            backward(top, down, bottom)
            if down[0]:
                bottom[0].diff[...] -= top[-1].diff
        layer.backward = broken
    check_broken_is_caught(_layer(tops), [_X], last_forgotten, allow_zero=False)


def test_tops_share_values_but_not_gradients():
    case = make_layer(_layer(2), [_X])
    case.forward()
    case.backward([np.ones((2, 3)), 2 * np.ones((2, 3))])
    assert all(blob.shares_data_with(case.bottom[0]) for blob in case.top)
    assert (case.top[0].host_diff == 1).all() and (case.bottom[0].host_diff == 3).all()


def test_refuses_to_work_in_place():
    assert not layer_class("Split").allows_in_place
