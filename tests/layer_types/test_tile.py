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

_X = np.random.default_rng(0).normal(size=(3, 4, 2))


def _layer(param: str = "tiles: 3") -> str:
    return f'layer {{ name: "t" type: "Tile" bottom: "x" top: "y" tile_param {{ {param} }} }}'


def test_recorded(any_backend):
    run_golden("tile", any_backend)


@pytest.mark.parametrize("axis", [0, 1, 2, -2])
@pytest.mark.parametrize("tiles", [1, 2, 3])
def test_values(axis, tiles, any_backend):
    case = make_layer(_layer(f"axis: {axis} tiles: {tiles}"), [_X], backend=any_backend)
    case.forward()
    repeats = [1, 1, 1]
    repeats[axis] = tiles
    np.testing.assert_allclose(case.top[0].host_data, np.tile(_X, repeats), rtol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_gradient(axis):
    def one_copy(top, bottom):
        bottom[0].diff[...] = top[0].diff.take(range(bottom[0].shape[axis]), axis)
    check_broken_is_caught(_layer(f"axis: {axis} tiles: 3"), [_X], after_backward(one_copy))


@pytest.mark.parametrize(("param", "got"),
                         [("", "nothing"), ("tiles: 0", "0"), ("tiles: -1", "-1")])
def test_a_number_of_tiles_is_required(param, got):
    with pytest.raises(PrototxtError, match=f"layer 't': tiles must be positive .got {got}"):
        make_layer(_layer(param), [_X])


def test_axes_that_are_not_there_are_refused():
    with pytest.raises(ShapeError, match=r"test.prototxt:1:\d+: layer 't': axis 3 is out of range"):
        make_layer(_layer("tiles: 2 axis: 3"), [_X])


def test_refuses_to_work_in_place():
    assert not layer_class("Tile").allows_in_place
