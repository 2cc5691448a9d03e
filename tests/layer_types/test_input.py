from __future__ import annotations

import pytest

from caffe_lrcn.errors import PrototxtError
from tests.harness.layers import make_layer


def _layer(shapes: str, tops: int = 2) -> str:
    names = " ".join(f'top: "t{i}"' for i in range(tops))
    return f'layer {{ name: "in" type: "Input" {names} input_param {{ {shapes} }} }}'


def test_one_shape_serves_all_tops():
    case = make_layer(_layer("shape { dim: 2 dim: 3 }"), [])
    assert [blob.shape for blob in case.top] == [(2, 3), (2, 3)]


def test_each_top_has_its_shape():
    case = make_layer(_layer("shape { dim: 2 } shape { dim: 4 dim: 0 }"), [])
    assert [blob.shape for blob in case.top] == [(2,), (4, 0)]


def test_a_callers_shape_and_values_stay():
    case = make_layer(_layer("shape { dim: 2 }", 1), [])
    case.top[0].reshape(3)
    case.top[0].host_data[...] = 5
    case.forward()
    assert case.top[0].shape == (3,) and (case.top[0].host_data == 5).all()


def test_no_shape_at_all_is_fine():
    assert make_layer(_layer(""), []).top[0].count == 1


def test_a_wrong_number_of_shapes_is_refused():
    with pytest.raises(PrototxtError, match=r"test.prototxt:1:.*got 2, wanted 0, 1 or 3"):
        make_layer(_layer("shape { dim: 1 } shape { dim: 1 }", 3), [])
