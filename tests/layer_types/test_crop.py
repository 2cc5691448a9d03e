from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError, ShapeError
from caffe_lrcn.layer_types import layer_class
from tests.harness.layers import (
    after_backward,
    check_broken_is_caught,
    make_layer,
    run_golden,
)

_X = np.random.default_rng(0).normal(size=(2, 3, 6, 7))


def _layer(param: str = "") -> str:
    return ('layer { name: "c" type: "Crop" bottom: "x" bottom: "like" top: "y" '
            f'crop_param {{ {param} }} }}')


def test_recorded(any_backend):
    run_golden("crop", any_backend)


_CASES = [
    ("", (9, 9, 4, 5), np.s_[:, :, :4, :5]), ("offset: 1", (2, 3, 4, 5), np.s_[:, :, 1:5, 1:6]),
    ("offset: 2 offset: 0", (2, 3, 4, 5), np.s_[:, :, 2:, :5]),
    ("axis: -1 offset: 3", (1, 1, 1, 4), np.s_[:, :, :, 3:]),
    ("axis: 0 offset: 1 offset: 0 offset: 2 offset: 3", (1, 2, 3, 4), np.s_[1:, :2, 2:5, 3:]),
    ("axis: 2", (2, 3, 6, 7), np.s_[:])]


@pytest.mark.parametrize(("param", "shape", "window"), _CASES)
def test_values(param, shape, window, any_backend):
    case = make_layer(_layer(param), [_X, np.zeros(shape)], backend=any_backend)
    case.forward()
    np.testing.assert_allclose(case.top[0].host_data, _X[window], rtol=1e-6)


@pytest.mark.parametrize(("param", "shape", "window"), _CASES[1:5])
def test_gradient(param, shape, window):
    def at_the_origin(top, bottom):
        bottom[0].diff.fill(0)
        bottom[0].diff[tuple(map(slice, top[0].shape))] = top[0].diff

    def around_it_too(top, bottom):
        bottom[0].diff[bottom[0].diff == 0] = 1
    for change in (at_the_origin, around_it_too):
        check_broken_is_caught(_layer(param), [_X, np.zeros(shape)], after_backward(change))


def test_other_numbers_of_axes():
    case = make_layer(_layer("axis: 1 offset: 1"), [np.arange(4.0)[None], np.zeros((1, 2))])
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, [[1, 2]])


def test_the_model_gets_a_gradient_of_zero():
    case = make_layer(_layer(), [_X, np.zeros((2, 3, 4, 5))])
    case.bottom[1].host_diff[...] = 7
    case.forward()
    case.backward([np.ones((2, 3, 4, 5))], propagate_down=[False, True])
    assert not case.bottom[1].host_diff.any()


@pytest.mark.parametrize(("param", "shape", "error", "message"), [
    ("offset: 1 offset: 1 offset: 1", (2, 3, 4, 5), PrototxtError, "got 3, wanted 0, 1 or 2"),
    ("offset: 3", (2, 3, 4, 4), ShapeError, r"axis 2 \(got offset 3 \+ size 4, wanted at most 6"),
    ("", (2, 3, 4, 8), ShapeError, "axis 3 .got offset 0"),
    ("", (4, 5), ShapeError, "bottom 1 has too few axes"),
    ("axis: 4", (2, 3, 4, 5), ShapeError, "axis 4 is out of range")])
def test_windows_that_do_not_fit_are_refused(param, shape, error, message):
    with pytest.raises(error, match=rf"test.prototxt:1:\d+: layer 'c': .*{message}"):
        make_layer(_layer(param), [_X, np.zeros(shape)])


def test_refuses_to_work_in_place():
    assert not layer_class("Crop").allows_in_place
