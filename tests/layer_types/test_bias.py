from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError, ShapeError
from tests.harness.layers import (
    after_backward,
    break_op,
    check_broken_is_caught,
    make_layer,
    run_golden,
)

_RNG = np.random.default_rng(0)
_X = _RNG.normal(size=(3, 4, 2, 5))


def _layer(param: str = "", top: str = "y", bottoms: int = 1) -> str:
    names = ' bottom: "x"' + ' bottom: "b"' * (bottoms - 1)
    return (f'layer {{ name: "b" type: "Bias" {names} top: "{top}" bias_param {{ {param} }} }}')


def test_recorded(any_backend):
    run_golden("bias", any_backend)


def _lost_rows(op):
    return lambda x, *rest: op(x[1:] if len(x) > 1 else x[:, :, 1:], *rest)


def _halve(top, bottom):
    bottom[0].diff[...] *= 0.5


@pytest.mark.parametrize("top", ["x", "y"])
@pytest.mark.parametrize("axes", ["", "axis: 0 num_axes: 2", "axis: 1 num_axes: -1", "axis: -1",
                                  "num_axes: 0"])
def test_gradient(axes, top):
    text = _layer(f'{axes} filler {{ type: "gaussian" }}', top)
    for mutate in (break_op("elementwise", "sum_to_channels", _lost_rows), after_backward(_halve)):
        check_broken_is_caught(text, [_X], mutate)


@pytest.mark.parametrize("top", ["x", "y"])
@pytest.mark.parametrize(("axis", "shape"), [(1, (4, 2)), (-1, (5,)), (0, ())])
def test_gradient_of_two_bottoms(axis, shape, top):
    for mutate in (break_op("elementwise", "sum_to_channels", _lost_rows), after_backward(_halve)):
        check_broken_is_caught(_layer(f"axis: {axis}", top, 2), [_X, _RNG.normal(size=shape)],
                               mutate, wrt=[0, 1])


@pytest.mark.parametrize(("axes", "shape"), [
    ("", (4,)), ("axis: 0", (3,)), ("axis: -2 num_axes: 2", (2, 5)), ("num_axes: -1", (4, 2, 5)),
    ("num_axes: 0", ())])
def test_parameter_shapes(axes, shape):
    (blob,) = make_layer(_layer(axes), [_X]).layer.blobs
    assert blob.shape == shape and not blob.host_data.any()


@pytest.mark.parametrize("top", ["x", "y"])
def test_second_bottom_is_added(top, any_backend):
    case = make_layer(_layer(top=top, bottoms=2), [_X, [1, 2, 3, 4]], backend=any_backend)
    case.forward()
    assert not case.layer.blobs
    want = _X + np.array([1, 2, 3, 4])[:, None, None]
    np.testing.assert_allclose(case.top[0].host_data, want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("param", "error"), [
    ("num_axes: -2", PrototxtError), ("axis: 4", ShapeError), ("axis: 3 num_axes: 2", ShapeError)])
def test_impossible_axes_are_refused(param, error):
    with pytest.raises(error, match=r"test.prototxt:1:\d+: layer 'b': .*(num_axes|axis|axes)"):
        make_layer(_layer(param), [_X])


@pytest.mark.parametrize(("axis", "shape"), [(1, (3,)), (3, (5, 1)), (0, (3, 4, 2, 5, 1))])
def test_a_bias_that_does_not_fit_is_refused(axis, shape):
    with pytest.raises(ShapeError, match="the bias does not fit the bottom"):
        make_layer(_layer(f"axis: {axis}", bottoms=2), [_X, np.zeros(shape)])
