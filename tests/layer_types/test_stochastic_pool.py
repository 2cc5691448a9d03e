"""STOCHASTIC pooling, in training and in testing."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.layer_types.base import Settings
from caffe_lrcn.rng import random_words
from tests.harness.layers import TEST, TRAIN, check_broken_is_caught, make_layer
from tests.layer_types.spoiled import spoiled

_X = np.random.default_rng(0).uniform(0, 1, size=(2, 3, 7, 6))
_X[0, 0, :4, :4] = 0
_GEOMETRIES = ["kernel_size: 3 stride: 2", "kernel_h: 2 kernel_w: 3 stride_h: 1 stride_w: 2",
               "kernel_size: 2 stride: 3", "global_pooling: true"]


def _layer(extra: str = "kernel_size: 3 stride: 2", tops: str = 'top: "y"') -> str:
    return (f'layer {{ name: "p" type: "Pooling" bottom: "x" {tops} '
            f'pooling_param {{ pool: STOCHASTIC {extra} }} }}')


def _windows(case) -> dict[tuple[int, ...], np.ndarray]:
    """Return each window's elements by the position of its top element, row by row."""
    plan, height = case.layer._plan, _X.shape[2]
    (kh, kw), (sh, sw) = plan._spec.kernel, plan._spec.stride
    found = {}
    for n, c, i, j in np.ndindex(*case.top[0].shape):
        rows, columns = slice(i * sh, min(i * sh + kh, height)), slice(j * sw, j * sw + kw)
        found[n, c, i, j] = _X[n, c, rows, columns].reshape(-1)
    return found


def _picked(window: np.ndarray, u: float) -> float:
    """Return the first element whose running sum reaches the share u of the sum."""
    running = 0.0
    for value in window:
        running += value
        if running >= u * window.sum():
            return value
    return window[-1]


@pytest.mark.parametrize("extra", _GEOMETRIES)
def test_training_draws_an_element_of_each_window(extra, any_backend64):
    case = make_layer(_layer(extra), [_X], phase=TRAIN, backend=any_backend64)
    for call in range(2):
        case.forward()
        words = random_words(case.layer.random_key("pool"), call, case.top[0].count)
        shares = ((words + 1.0) / 2**32).reshape(case.top[0].shape)
        for at, window in _windows(case).items():
            want = _picked(window, shares[at]) if window.size else 0
            assert case.top[0].host_data[at] == want, at


@pytest.mark.parametrize("extra", _GEOMETRIES)
def test_testing_takes_the_mean_under_the_probabilities(extra, any_backend64):
    case = make_layer(_layer(extra), [_X], backend=any_backend64)
    case.forward()
    for at, window in _windows(case).items():
        want = (window**2).sum() / window.sum() if window.sum() > 0 else 0
        assert case.top[0].host_data[at] == pytest.approx(want), at


def _shifted(top, bottom):
    bottom[0].diff[...] = np.roll(bottom[0].diff, 1, axis=3)


@pytest.mark.parametrize("phase", [TRAIN, TEST])
@pytest.mark.parametrize("extra", _GEOMETRIES)
def test_gradient(extra, phase, any_backend64):
    # CAFFE-QUIRK, mended: in testing Caffe uses the picks of the last training pass.
    x = _X + 0.1
    check_broken_is_caught(_layer(extra), [x], spoiled(_shifted), phase=phase,
                           backend=any_backend64)


def test_elements_are_drawn_in_proportion_to_their_values():
    x = np.tile([[0.0, 1], [3, 4]], (1, 1, 100, 100))
    case = make_layer(_layer("kernel_size: 2 stride: 2"), [x], phase=TRAIN)
    case.forward()
    share = [(case.top[0].host_data == value).mean() for value in (0, 1, 3, 4)]
    np.testing.assert_allclose(share, [0, 1 / 8, 3 / 8, 4 / 8], atol=0.02)


def test_every_pass_draws_anew_and_state_brings_a_draw_back():
    case = make_layer(_layer(), [_X], phase=TRAIN)
    state, passes = case.layer.state(), []
    assert state == {"calls": 0}
    for _ in range(2):
        case.forward()
        passes.append(case.top[0].host_data.copy())
    assert (passes[0] != passes[1]).any()
    case.layer.restore(state)
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, passes[0])


def test_both_backends_draw_alike(any_backend):
    case, other = (make_layer(_layer(), [_X], phase=TRAIN, backend=backend)
                   for backend in (any_backend, None))
    for each in (case, other):
        each.forward()
    np.testing.assert_allclose(case.top[0].host_data, other.top[0].host_data, rtol=1e-6)


def test_zeros_give_zeros_and_their_gradient_goes_to_the_first():
    case = make_layer(_layer("kernel_size: 2"), [np.zeros((1, 1, 2, 2))], phase=TRAIN)
    case.forward()
    case.backward([np.ones((1, 1, 1, 1))])
    assert case.top[0].host_data == 0
    np.testing.assert_array_equal(case.bottom[0].host_diff[0, 0], [[1, 0], [0, 0]])


@pytest.mark.parametrize("phase", [TRAIN, TEST])
def test_a_sum_that_is_not_positive_gives_zero(phase):
    case = make_layer(_layer("kernel_h: 1 kernel_w: 2"), [[[[[-2.0, 1]]]]], phase=phase)
    case.forward()
    case.backward([np.ones((1, 1, 1, 1))])
    assert case.top[0].host_data == 0
    np.testing.assert_array_equal(case.bottom[0].host_diff, 0)


def test_the_gradient_in_testing_survives_changes_of_the_top_in_place():
    case, undisturbed = (make_layer(_layer(), [_X]) for _ in range(2))
    for each in (case, undisturbed):
        each.forward()
    case.top[0].host_data[...] = 7
    for each in (case, undisturbed):
        each.backward([np.ones(each.top[0].shape)])
    np.testing.assert_array_equal(case.bottom[0].host_diff, undisturbed.bottom[0].host_diff)


def test_strict_mode_wants_a_gpu():
    # CAFFE-QUIRK: Caffe's CPU code does not have this method.
    with pytest.raises(PrototxtError, match="test.prototxt:1:.*layer 'p'.*for GPUs.*leave strict"):
        make_layer(_layer(), [_X], settings=Settings(strict=True))
    make_layer(_layer().replace("STOCHASTIC", "AVE"), [_X], settings=Settings(strict=True))


def test_padding_and_a_mask_are_refused():
    with pytest.raises(PrototxtError, match="test.prototxt:1:.*has no padding.*Remove pad"):
        make_layer(_layer("kernel_size: 3 pad: 1"), [_X])
    with pytest.raises(PrototxtError, match="only MAX pooling has a second top"):
        make_layer(_layer(tops='top: "y" top: "mask"'), [_X])
