from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError, ShapeError
from caffe_lrcn.layer_types import layer_class
from tests.harness.layers import (
    check_broken_is_caught,
    check_gradients,
    make_layer,
    run_golden,
)

_X = np.random.default_rng(0).normal(size=(2, 3, 4))


def _layer(dims: str, rest: str = "") -> str:
    return ('layer { name: "r" type: "Reshape" bottom: "x" top: "y" '
            f'reshape_param {{ shape {{ {dims} }} {rest} }} }}')


@pytest.mark.parametrize("name", ["reshape", "reshape_axis"])
def test_recorded(name, any_backend):
    run_golden(name, any_backend)


@pytest.mark.parametrize(("dims", "rest", "shape"), [
    ("dim: 0 dim: -1", "", (2, 12)),
    ("dim: 6 dim: 0 dim: 2", "", None),
    ("dim: 4 dim: 6", "", (4, 6)),
    ("dim: -1", "axis: 1 num_axes: 1", (2, 3, 4)),
    ("dim: 1", "axis: -1", (2, 3, 4, 1)),
    ("dim: 1", "axis: 1 num_axes: 0", (2, 1, 3, 4)),
    ("dim: 12", "axis: -3", (2, 12)),
    ("dim: 0 dim: 2 dim: 2", "axis: 1", (2, 3, 2, 2)),
    ("", "axis: 3", (2, 3, 4))])
def test_shapes(dims, rest, shape):
    if shape is None:
        with pytest.raises(ShapeError, match="changes the number of elements"):
            make_layer(_layer(dims, rest), [_X])
        return
    case = make_layer(_layer(dims, rest), [_X])
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, _X.reshape(shape))


def test_gradient():
    def halved(layer):
        layer.backward = lambda top, down, bottom: bottom[0].diff.__imul__(0.5)
    check_broken_is_caught(_layer("dim: -1"), [_X], halved)


def test_values_and_gradients_are_shared():
    case = make_layer(_layer("dim: 24"), [_X])
    case.forward()
    case.top[0].host_data[0] = 7
    case.backward([np.arange(24.0)])
    assert case.bottom[0].host_data[0, 0, 0] == 7
    np.testing.assert_array_equal(case.bottom[0].host_diff.ravel(), np.arange(24.0))
    assert not layer_class("Reshape").allows_in_place


@pytest.mark.parametrize(("dims", "rest", "error", "message"), [
    ("dim: -1 dim: -1", "", PrototxtError, "one -1"),
    ("dim: -2", "", PrototxtError, "one -1"),
    ("dim: 1", "num_axes: -2", PrototxtError, "num_axes"),
    ("dim: 5 dim: -1", "", ShapeError, "got 24 elements.*wanted a multiple of 5"),
    ("dim: 2 dim: 3 dim: 4 dim: 0", "", ShapeError, "dim 3 is 0"),
    ("dim: 1", "axis: 4", ShapeError, "axes to replace"),
    ("dim: 1", "axis: -5", ShapeError, "axes to replace"),
    ("dim: 1", "axis: 2 num_axes: 2", ShapeError, "axes to replace")])
def test_impossible_shapes_are_refused(dims, rest, error, message):
    with pytest.raises(error, match=message):
        make_layer(_layer(dims, rest), [_X])


_BY = 'layer { name: "r" type: "Reshape" bottom: "x" bottom: "like" top: "y" %s }'
_LIKE = np.random.default_rng(1).normal(size=(2, 3))


@pytest.mark.parametrize(("values", "rest", "shape"), [
    ((6, 4), "num_axes: 1", (2, 3, 4)),
    ((6,), "", (2, 3)),
    ((6,), "num_axes: 1", (2, 3)),
    ((4, 6, 5), "axis: 1 num_axes: 1", (4, 2, 3, 5)),
    ((5, 3, 2), "axis: -3", (5, 2, 3)),
    ((3, 2, 5), "num_axes: 2", (2, 3, 5)),
    ((4, 5), "num_axes: 1", None)])
def test_the_shape_of_a_second_bottom(values, rest, shape, any_backend):
    x = np.random.default_rng(2).normal(size=values)
    text = _BY % f"reshape_param {{ {rest} }}"
    if shape is None:
        with pytest.raises(ShapeError, match="changes the number of elements.*with the shape "
                                             r"\(2, 3\) of bottom 1.*wanted 4?20, those of"):
            make_layer(text, [x, _LIKE])
        return
    case = make_layer(text, [x, _LIKE], backend=any_backend)
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, x.reshape(shape).astype(
        case.top[0].host_data.dtype))


def test_gradients_with_a_second_bottom():
    def halved(layer):
        layer.backward = lambda top, down, bottom: (bottom[0].diff.__imul__(0.5),
                                                    bottom[1].diff.fill(0))

    def unset(layer):
        layer.backward = lambda top, down, bottom: None
    arrays = [np.random.default_rng(2).normal(size=(6, 4)), _LIKE]
    text = _BY % "reshape_param { num_axes: 1 }"
    check_gradients(text, arrays)
    for broken in halved, unset:
        check_broken_is_caught(text, arrays, broken, wrt=(0, 1), allow_zero=True)


def test_a_second_bottom_that_changes_its_shape_is_followed():
    case = make_layer(_BY % "reshape_param { num_axes: 1 }", [_X.reshape(6, 4), _LIKE])
    case.bottom[1].reshape(3, 2)
    case.forward()
    assert case.top[0].shape == (3, 2, 4)
    assert [alias.bottom for alias in layer_class("Reshape").aliases(None)] == [0]


def test_one_shape_is_enough():
    with pytest.raises(PrototxtError, match="the shape is given twice"):
        make_layer(_BY % "reshape_param { shape { dim: 2 dim: 3 dim: 4 } }",
                   [_X.reshape(6, 4), _LIKE])
