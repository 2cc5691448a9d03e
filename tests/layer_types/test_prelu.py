from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import ShapeError
from tests.harness.layers import break_op, check_broken_is_caught, make_layer, run_golden

_X = np.random.default_rng(0).normal(size=(3, 4, 2, 2))


def _layer(param: str = "", top: str = "y") -> str:
    return (f'layer {{ name: "p" type: "PReLU" bottom: "x" top: "{top}" '
            f'prelu_param {{ {param} }} }}')


def test_recorded(any_backend):
    run_golden("prelu", any_backend)


@pytest.mark.parametrize("top", ["x", "y"])
@pytest.mark.parametrize("shape", [(3, 4, 2, 2), (6, 4)])
@pytest.mark.parametrize("shared", ["true", "false"])
def test_gradient(shared, shape, top):
    def wrong_slope(op):
        def broken(x, dy, slope, *rest):
            op(x, dy, slope * 1.1, *rest)
        return broken

    def half_sum(op):
        def broken(x, dy, slope, dx, d_slope, scratch):
            op(x, dy, slope, dx, None, scratch)
            op(x[1:], dy[1:], slope, None, d_slope, scratch)
        return broken
    x = np.random.default_rng(1).normal(size=shape)
    text = _layer(f'channel_shared: {shared} filler {{ type: "uniform" min: 0.1 max: 0.6 }}', top)
    for breaking in (wrong_slope, half_sum):
        check_broken_is_caught(text, [x], break_op("elementwise", "prelu_backward", breaking))


def test_slope_starts_at_a_quarter():
    assert (make_layer(_layer(), [_X]).layer.blobs[0].host_data == [0.25] * 4).all()
    shared = make_layer(_layer("channel_shared: true"), [_X]).layer.blobs[0]
    assert shared.shape == () and shared.host_data == 0.25


def test_gradient_at_zero_is_the_left_one():
    # CAFFE-QUIRK
    case = make_layer(_layer(), [np.zeros((1, 2))])
    case.forward()
    case.backward([np.ones((1, 2))])
    np.testing.assert_array_equal(case.bottom[0].host_diff, 0.25)


def test_one_axis_is_refused():
    with pytest.raises(ShapeError, match="channel axis"):
        make_layer(_layer(), [np.zeros(3)])


def test_other_channel_counts_are_refused():
    case = make_layer(_layer(), [_X])
    case.bottom[0].reshape(3, 5, 2, 2)
    with pytest.raises(ShapeError, match="got 5, wanted 4"):
        case.forward()
