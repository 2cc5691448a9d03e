from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import ShapeError
from tests.harness.layers import check_broken_is_caught, make_layer, run_golden

_RNG = np.random.default_rng(0)
_X = 2 * _RNG.normal(size=(4, 3, 2))
_TARGET = _RNG.uniform(0, 0.9, size=_X.shape)
_TARGET[0, 0] = _TARGET[2, 1, 1] = -1
_SHARE = (_TARGET != -1).sum()


def _layer(loss: str = "", rest: str = 'top: "loss"') -> str:
    return ('layer { name: "l" type: "SigmoidCrossEntropyLoss" bottom: "x" bottom: "t" '
            f'{rest} loss_param {{ {loss} }} }}')


def _entropy(x: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return each element's loss by its definition."""
    share = 1 / (1 + np.exp(-x))
    return -(target * np.log(share) + (1 - target) * np.log(1 - share))


def test_recorded(any_backend):
    run_golden("sigmoid_ce", any_backend)


def _changed(change):
    """Let ``change(x, target, dx, dy)`` spoil the gradient of the bottom."""
    def mutate(layer):
        backward = layer.backward

        def broken(top, down, bottom):
            backward(top, down, bottom)
            if down[0]:
                change(bottom[0].data, bottom[1].data, bottom[0].diff, top[0].diff)
        layer.backward = broken
    return mutate


def _without_target(x, target, dx, dy):
    dx[...] = np.where(target == -1, 0, dy / (1 + np.exp(-x)))


def _forgets_ignoring(x, target, dx, dy):
    dx[target == -1] = dy


@pytest.mark.parametrize("change", [_without_target, _forgets_ignoring])
@pytest.mark.parametrize("mode", ["FULL", "VALID", "BATCH_SIZE", "NONE"])
def test_gradient(mode, change, any_backend64):
    check_broken_is_caught(_layer(f"ignore_label: -1 normalization: {mode}",
                                  'top: "loss" loss_weight: 3'), [_X, _TARGET],
                           _changed(change), loss=True, backend=any_backend64)


@pytest.mark.parametrize(("loss", "normaliser"), [
    ("", 4), ("normalization: FULL", 24), ("normalization: VALID", _SHARE),
    ("normalization: BATCH_SIZE", 4), ("normalization: NONE", 1), ("normalize: true", _SHARE),
    ("normalize: false", 4), ("normalize: true normalization: NONE", 1)])
def test_normalisers(loss, normaliser, any_backend64):
    case = make_layer(_layer(f"ignore_label: -1 {loss}"), [_X, _TARGET], backend=any_backend64)
    case.forward()
    want = np.where(_TARGET == -1, 0, _entropy(_X, _TARGET)).sum() / normaliser
    assert case.top[0].shape == ()
    assert case.top[0].host_data == pytest.approx(want)


def test_without_ignore_label_every_target_counts():
    # CAFFE-QUIRK, mended: Caffe's CUDA code would add up absolute values.
    target = np.full(_X.shape, 3.0)
    case = make_layer(_layer("normalization: VALID"), [_X, target])
    case.forward()
    assert case.top[0].host_data == pytest.approx(_entropy(_X, target).mean())


def test_fractions_of_targets_are_cut_off_where_they_are_compared():
    # CAFFE-QUIRK: with ignore_label 0, every target below 1 is ignored.
    case = make_layer(_layer("ignore_label: 0"), [[[1.0, 2.0]], [[0.9, 1.0]]])
    case.forward()
    case.backward()
    assert case.top[0].host_data == pytest.approx(np.log1p(np.exp(-2)))
    np.testing.assert_allclose(case.bottom[0].host_diff, [[0, -1 / (1 + np.exp(2))]])


def test_large_inputs_do_not_overflow(any_backend):
    case = make_layer(_layer(), [[[1e4, -1e4, 1e4]], [[1, 0, 0]]], backend=any_backend)
    case.forward()
    case.backward()
    assert case.top[0].host_data == 1e4
    np.testing.assert_array_equal(case.bottom[0].host_diff, [[0, 0, 1]])


def test_nothing_but_ignored_targets_cost_nothing():
    case = make_layer(_layer("ignore_label: -1 normalization: VALID"), [_X, 0 * _X - 1])
    case.forward()
    case.backward()
    assert case.top[0].host_data == 0
    assert not case.bottom[0].host_diff.any()


def test_targets_may_have_another_shape():
    case = make_layer(_layer(), [_X, _TARGET.reshape(4, 6)])
    case.forward()
    assert case.top[0].host_data == pytest.approx(
        (np.maximum(_X, 0) - _X * _TARGET + np.log1p(np.exp(-np.abs(_X)))).sum() / 4)


def test_anonymous_top():
    case = make_layer(_layer(rest=""), [_X, np.zeros_like(_X)])
    case.forward()
    assert case.top[0].host_data > 0 and case.top[0].host_diff == 1


@pytest.mark.parametrize(("shape", "message"), [((3, 4, 2), "differ in axis 0"),
                                                ((4, 5), "compared number by number")])
def test_other_sizes_are_refused(shape, message):
    with pytest.raises(ShapeError, match=f"test.prototxt:1:.*layer 'l'.*{message}"):
        make_layer(_layer(), [_X, np.zeros(shape)])
