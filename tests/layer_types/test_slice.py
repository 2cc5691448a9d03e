from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError, ShapeError
from tests.harness.layers import check_broken_is_caught, make_layer, run_golden

_X = np.random.default_rng(0).normal(size=(2, 6, 4))


def _layer(param: str = "", tops: int = 2) -> str:
    names = " ".join(f'top: "y{i}"' for i in range(tops))
    return f'layer {{ name: "s" type: "Slice" bottom: "x" {names} slice_param {{ {param} }} }}'


@pytest.mark.parametrize("name", ["slice", "slice_points"])
def test_recorded(name, any_backend):
    run_golden(name, any_backend)


@pytest.mark.parametrize(("param", "tops", "axis", "points"), [
    ("", 3, 1, 3), ("axis: -1", 2, 2, 2), ("slice_dim: 0", 2, 0, 2),
    ("slice_point: 1 slice_point: 4", 3, 1, [1, 4])])
def test_gradient(param, tops, axis, points):
    def reversed_tops(layer):
        backward = layer.backward
        layer.backward = lambda top, down, bottom: (
            backward(top, down, bottom),
            down[0] and bottom[0].diff.__setitem__(..., bottom[0].diff[:, ::-1].copy()))
    check_broken_is_caught(_layer(param, tops), [_X], reversed_tops)
    case = make_layer(_layer(param, tops), [_X])
    case.forward()
    for blob, want in zip(case.top, np.split(_X, points, axis), strict=True):
        np.testing.assert_array_equal(blob.host_data, want)


def test_one_top_shares_its_storage():
    case = make_layer(_layer(tops=1), [_X])
    case.forward()
    case.backward([np.ones(_X.shape)])
    assert case.top[0].shares_data_with(case.bottom[0])
    assert (case.bottom[0].host_diff == 1).all()


@pytest.mark.parametrize(("param", "tops", "message"), [
    ("axis: 1 slice_dim: 1", 2, "given twice"),
    ("slice_point: 2", 3, "got 1, wanted 2"),
    ("slice_point: 3 slice_point: 3", 3, "must increase"),
    ("slice_point: 0", 2, "must increase")])
def test_wrong_definitions_are_refused(param, tops, message):
    with pytest.raises(PrototxtError, match=message):
        make_layer(_layer(param, tops), [_X])


@pytest.mark.parametrize(("param", "tops", "message"), [
    ("", 4, "does not divide by 4"), ("slice_point: 7", 2, "got 7, wanted below 6"),
    (" ".join(f"slice_point: {i}" for i in range(1, 7)), 7, "got 6, wanted below 6"),
    ("axis: 3", 2, "out of range")])
def test_bottoms_that_do_not_fit_are_refused(param, tops, message):
    with pytest.raises(ShapeError, match=message):
        make_layer(_layer(param, tops), [_X])


def test_a_point_at_the_end_of_the_axis_leaves_an_empty_top(any_backend, caplog):
    """CAFFE-QUIRK: it is accepted."""
    case = make_layer(_layer("slice_point: 6"), [_X], backend=any_backend)
    assert "slice_point 6 is the end of the axis, so the last top is empty" in caplog.text
    case.forward()
    assert [blob.shape for blob in case.top] == [(2, 6, 4), (2, 0, 4)]
    case.backward([np.ones((2, 6, 4)), None])
    np.testing.assert_array_equal(case.bottom[0].host_diff, 1)
