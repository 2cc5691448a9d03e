from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import NetError, PrototxtError, ShapeError
from caffe_lrcn.layer_types import layer_class
from tests.harness.layers import make_layer, run_golden

_X = np.random.default_rng(0).permutation(60).reshape(3, 5, 4).astype(float)


def _layer(param: str = "") -> str:
    return f'layer {{ name: "a" type: "ArgMax" bottom: "x" top: "y" argmax_param {{ {param} }} }}'


def _top(x, param: str = "", backend=None):
    case = make_layer(_layer(param), [x], backend=backend)
    case.forward()
    return case.top[0].host_data


@pytest.mark.parametrize("name", ["argmax", "argmax_axis_topk"])
def test_recorded(name, any_backend):
    run_golden(name, any_backend)


@pytest.mark.parametrize("top_k", [1, 3])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_along_an_axis(axis, top_k, any_backend):
    order = np.argsort(-_X, axis=axis).take(range(top_k), axis=axis)
    param = f"axis: {axis} top_k: {top_k}"
    np.testing.assert_array_equal(_top(_X, param, any_backend), order)
    np.testing.assert_array_equal(_top(_X, param + " out_max_val: true", any_backend),
                                  np.take_along_axis(_X, order, axis))


@pytest.mark.parametrize("top_k", [1, 4])
def test_over_all_axes_but_the_first(top_k):
    flat = _X.reshape(3, 20)
    order = np.argsort(-flat, axis=1)[:, :top_k]
    indices = _top(_X, f"top_k: {top_k}")
    assert indices.shape == (3, 1, top_k)
    np.testing.assert_array_equal(indices[:, 0], order)
    both = _top(_X, f"top_k: {top_k} out_max_val: true")
    assert both.shape == (3, 2, top_k)
    np.testing.assert_array_equal(both[:, 0], order)
    np.testing.assert_array_equal(both[:, 1], np.take_along_axis(flat, order, 1))


@pytest.mark.parametrize(("shape", "want"), [
    ((3,), (3, 1, 1)), ((3, 4), (3, 1, 1)), ((3, 4, 2, 2, 2), (3, 1, 1, 1, 1)),
    ((0, 4), (0, 1, 1))])
def test_shapes(shape, want):
    assert _top(np.zeros(shape)).shape == want


@pytest.mark.parametrize("axis", ["", "axis: 1"])
def test_of_equal_entries_the_last_comes_first(axis):
    # CAFFE-QUIRK
    x = [[1, 5, 5, 0, 5]]
    assert _top(x, axis).ravel() == [4]
    np.testing.assert_array_equal(_top(x, axis + " top_k: 4").ravel(), [4, 2, 1, 0])


@pytest.mark.parametrize("param", ["top_k: 0", "top_k: 21", "axis: 1 top_k: 6"])
def test_impossible_top_k_is_refused(param):
    with pytest.raises(PrototxtError, match=r"test.prototxt:1:\d+: layer 'a': top_k must lie"):
        make_layer(_layer(param), [_X])


def test_axes_that_are_not_there_are_refused():
    with pytest.raises(ShapeError, match="axis 3 is out of range"):
        make_layer(_layer("axis: 3"), [_X])
    with pytest.raises(ShapeError, match="no axes"):
        make_layer(_layer(), [np.array(1.0)])


def test_has_no_gradient_and_does_not_work_in_place():
    case = make_layer(_layer(), [_X])
    case.forward()
    with pytest.raises(NetError, match="layer 'a': ArgMax has no gradient"):
        case.backward()
    assert not layer_class("ArgMax").allows_in_place
