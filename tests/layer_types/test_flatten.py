from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError, ShapeError
from caffe_lrcn.layer_types import layer_class
from tests.harness.layers import check_broken_is_caught, make_layer, run_golden

_X = np.random.default_rng(0).normal(size=(2, 3, 4, 5))


def _layer(param: str = "") -> str:
    return (f'layer {{ name: "f" type: "Flatten" bottom: "x" top: "y" '
            f'flatten_param {{ {param} }} }}')


def test_recorded(any_backend):
    run_golden("flatten", any_backend)


@pytest.mark.parametrize(("param", "shape"), [
    ("", (2, 60)), ("axis: 0", (120,)), ("axis: 1 end_axis: 2", (2, 12, 5)),
    ("axis: -3 end_axis: -2", (2, 12, 5)), ("axis: 2 end_axis: 2", (2, 3, 4, 5)),
    # CAFFE-QUIRK: an empty range of axes makes a new axis of size 1.
    ("axis: 2 end_axis: 1", (2, 3, 1, 4, 5))])
def test_shapes(param, shape):
    case = make_layer(_layer(param), [_X])
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, _X.reshape(shape))


def test_gradient():
    def halved(layer):
        layer.backward = lambda top, down, bottom: bottom[0].diff.__imul__(0.5)
    check_broken_is_caught(_layer(), [_X], halved)


def test_storage_is_shared():
    case = make_layer(_layer(), [_X])
    assert case.top[0].shares_data_with(case.bottom[0])
    assert not layer_class("Flatten").allows_in_place


@pytest.mark.parametrize("param", ["axis: 4", "end_axis: -5", "axis: 3 end_axis: 1"])
def test_impossible_axes_are_refused(param):
    with pytest.raises((PrototxtError, ShapeError),
                       match="test.prototxt:1:.*(out of range|before axis)"):
        make_layer(_layer(param), [_X])
