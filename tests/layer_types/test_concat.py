from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError, ShapeError
from tests.harness.layers import check_broken_is_caught, make_layer, run_golden

_RNG = np.random.default_rng(0)


def _layer(param: str = "", bottoms: int = 2) -> str:
    names = " ".join(f'bottom: "x{i}"' for i in range(bottoms))
    return f'layer {{ name: "c" type: "Concat" {names} top: "y" concat_param {{ {param} }} }}'


@pytest.mark.parametrize("name", ["concat", "concat_axis2"])
def test_recorded(name, any_backend):
    run_golden(name, any_backend)


@pytest.mark.parametrize(("param", "axis"), [("", 1), ("axis: 0", 0), ("axis: -1", 2),
                                             ("concat_dim: 2", 2)])
def test_gradient(param, axis):
    def first_part_for_all(layer):
        backward = layer.backward

        def broken(top, down, bottom):
            backward(top, down, bottom)
            bottom[1].diff.flat[:2] = bottom[0].diff.flat[:2]
        layer.backward = broken
    shapes = [tuple(size + i * (j == axis) for j, size in enumerate((2, 3, 2))) for i in range(3)]
    xs = [_RNG.normal(size=shape) for shape in shapes]
    check_broken_is_caught(_layer(param, 3), xs, first_part_for_all, wrt=[0, 1, 2])
    case = make_layer(_layer(param, 3), xs)
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, np.concatenate(xs, axis))


def test_one_bottom_shares_its_storage():
    case = make_layer(_layer(bottoms=1), [np.arange(6.0).reshape(2, 3)])
    case.forward()
    case.backward([np.ones((2, 3))])
    assert case.top[0].shares_data_with(case.bottom[0])
    assert (case.bottom[0].host_diff == 1).all()


def test_two_names_of_the_axis_are_refused():
    with pytest.raises(PrototxtError, match="given twice"):
        make_layer(_layer("axis: 1 concat_dim: 1"), [np.zeros((2, 3))] * 2)


@pytest.mark.parametrize("shape", [(2, 3, 1), (3, 3)])
def test_shapes_that_do_not_fit_are_refused(shape):
    with pytest.raises(ShapeError, match="differ .*only axis 1"):
        make_layer(_layer(), [np.zeros((2, 3)), np.zeros(shape)])


def test_an_axis_that_does_not_exist_is_refused():
    with pytest.raises(ShapeError, match="axis 2 is out of range.*got 2, wanted -2 to 1"):
        make_layer(_layer("axis: 2"), [np.zeros((2, 3))] * 2)
