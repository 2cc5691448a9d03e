from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError, ShapeError
from tests.harness.layers import (
    TEST,
    TRAIN,
    break_op,
    check_broken_is_caught,
    make_layer,
    run_golden,
)

_X = np.random.default_rng(0).normal(1, 2, (4, 3, 2, 5))


def _layer(param: str = "", top: str = "y", extra: str = "") -> str:
    return (f'layer {{ name: "bn" type: "BatchNorm" bottom: "x" top: "{top}" {extra} '
            f'batch_norm_param {{ {param} }} }}')


@pytest.mark.parametrize("name", ["batchnorm_train", "batchnorm_global"])
def test_recorded(name, any_backend):
    run_golden(name, any_backend)


def _no_sums(op):
    """Breaks both sums of the gradient: mean(dy) and mean(dy * y)."""
    return lambda *args: None


@pytest.mark.parametrize("top", ["x", "y"])
@pytest.mark.parametrize("shape", [(4, 3, 2, 5), (7, 3)])
def test_gradient_over_the_batch(shape, top):
    def only_in_backward(layer):
        forward = layer.forward
        true = layer.backend

        def run(*blobs):
            layer.backend = true
            forward(*blobs)
            break_op("elementwise", "sum_to_channels", _no_sums)(layer)
        layer.forward = run
    x = np.random.default_rng(1).normal(1, 2, shape)
    check_broken_is_caught(_layer("eps: 0.1", top), [x], only_in_backward, params=[], phase=TRAIN)


def _fill_sums(case):
    case.layer.blobs[0].host_data[...] = [1, -2, 3]
    case.layer.blobs[1].host_data[...] = [4, 2, 9]
    case.layer.blobs[2].host_data[...] = 2.5


@pytest.mark.parametrize("top", ["x", "y"])
def test_gradient_with_global_statistics(top):
    def forgets(layer):
        layer.backward = lambda top, down, bottom: bottom[0].diff.__setitem__(..., top[0].diff)
    check_broken_is_caught(_layer("", top), [_X], forgets, params=[], phase=TEST,
                           prepare=_fill_sums)


def test_running_sums_after_two_passes():
    # CAFFE-QUIRK: they grow in every forward pass, variances are counted unbiased.
    case = make_layer(_layer("moving_average_fraction: 0.5"), [_X], phase=TRAIN)
    case.forward()
    case.forward()
    axes = (0, 2, 3)
    mean, var = _X.mean(axes), _X.var(axes, ddof=1)
    for blob, want in zip(case.layer.blobs, (1.5 * mean, 1.5 * var, 1.5), strict=True):
        np.testing.assert_allclose(blob.host_data, np.broadcast_to(want, blob.shape))


def test_fresh_layer_in_testing_divides_by_the_root_of_eps():
    # CAFFE-QUIRK
    case = make_layer(_layer("eps: 0.25"), [_X])
    case.forward()
    np.testing.assert_allclose(case.top[0].host_data, _X / 0.5)


def test_testing_with_batch_statistics_on_request():
    case = make_layer(_layer("use_global_stats: false"), [_X])
    case.forward()
    np.testing.assert_allclose(case.top[0].host_data.mean((0, 2, 3)), 0, atol=1e-12)
    assert case.layer.blobs[2].host_data == 1


def test_training_with_global_statistics_on_request():
    case = make_layer(_layer("use_global_stats: true eps: 0.25"), [_X], phase=TRAIN)
    case.forward()
    np.testing.assert_allclose(case.top[0].host_data, _X / 0.5)
    assert case.layer.blobs[2].host_data == 0


def test_gradient_survives_an_in_place_layer_above():
    case = make_layer(_layer(), [_X], phase=TRAIN)
    diff = np.random.default_rng(2).normal(size=_X.shape)
    case.forward()
    case.backward([diff])
    want = case.bottom[0].host_diff.copy()
    case.top[0].host_data[...] = 0
    case.backward([diff])
    np.testing.assert_array_equal(case.bottom[0].host_diff, want)


def test_missing_params_are_frozen():
    assert [spec.lr_mult for spec in make_layer(_layer(), [_X]).layer.param.param] == [0, 0, 0]


def test_params_that_learn_are_refused():
    with pytest.raises(PrototxtError, match="got lr_mult: 1, wanted lr_mult: 0"):
        make_layer(_layer(extra="param { lr_mult: 0 } param { }"), [_X])


def test_one_axis_is_refused():
    with pytest.raises(ShapeError, match="channel axis"):
        make_layer(_layer(), [np.zeros(3)])


def test_other_channel_counts_are_refused():
    case = make_layer(_layer(), [_X])
    case.bottom[0].reshape(4, 2, 2, 5)
    with pytest.raises(ShapeError, match="has changed"):
        case.forward()
