from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError
from tests.harness.layers import make_layer

_RANDOM = 'data_filler { type: "gaussian" std: 2 }'


def _layer(param: str, tops: int = 1) -> str:
    names = " ".join(f'top: "t{i}"' for i in range(tops))
    return f'layer {{ name: "d" type: "DummyData" {names} dummy_data_param {{ {param} }} }}'


def test_zeros_without_a_filler():
    case = make_layer(_layer("shape { dim: 2 dim: 3 }", 2), [])
    case.forward()
    assert [blob.shape for blob in case.top] == [(2, 3), (2, 3)]
    assert not case.top[1].host_data.any()


def test_legacy_sizes_once_or_each():
    case = make_layer(_layer("num: 2 num: 5 channels: 3 height: 1 width: 4", 2), [])
    assert [blob.shape for blob in case.top] == [(2, 3, 1, 4), (5, 3, 1, 4)]


def test_each_top_has_its_filler():
    case = make_layer(_layer("shape { dim: 3 } data_filler { value: 4 } " + _RANDOM, 2), [])
    case.forward()
    assert (case.top[0].host_data == 4).all()
    assert len(set(case.top[1].host_data)) == 3


def test_random_values_change_with_each_pass_and_constants_do_not():
    # CAFFE-QUIRK: a constant is written once, so that edits stay.
    case = make_layer(_layer("shape { dim: 3 } data_filler { value: 4 } " + _RANDOM, 2), [])
    case.forward()
    before = case.top[1].host_data.copy()
    case.top[0].host_data[...] = 7
    case.forward()
    assert (case.top[0].host_data == 7).all()
    assert (case.top[1].host_data != before).all()


def test_restored_state_continues_the_stream():
    text = _layer("shape { dim: 3 } " + _RANDOM)
    case = make_layer(text, [])
    case.forward()
    state = case.layer.state()
    case.forward()
    resumed = make_layer(text, [])
    resumed.layer.restore(state)
    resumed.forward()
    np.testing.assert_array_equal(case.top[0].host_data, resumed.top[0].host_data)


@pytest.mark.parametrize(("param", "tops", "message"), [
    ("shape { dim: 1 } num: 1", 1, "two ways"),
    ("shape { dim: 1 } shape { dim: 1 }", 3, "shape is given the wrong number of times"),
    ("", 1, "shape is given the wrong number of times"),
    ("num: 1 channels: 1 height: 1", 1, "width is given"),
    ("shape { dim: 1 } data_filler { } data_filler { }", 3, "data_filler is given"),
])
def test_wrong_definitions_are_refused(param, tops, message):
    with pytest.raises(PrototxtError, match=message):
        make_layer(_layer(param, tops), [])
