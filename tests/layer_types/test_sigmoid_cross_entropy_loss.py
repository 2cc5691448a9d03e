from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import NetError, ShapeError
from tests.harness.layers import break_op, check_broken_is_caught, make_layer, run_golden

_RNG = np.random.default_rng(0)
_X = _RNG.normal(size=(4, 5))
_TARGET = _RNG.integers(0, 2, (4, 5)).astype(float)
_TARGET[1, 0] = _TARGET[3, 2] = -1
_KEPT = _TARGET >= 0
_IGNORE = "ignore_label: -1"


def _layer(loss: str = "", rest: str = 'top: "loss"') -> str:
    return ('layer { name: "l" type: "SigmoidCrossEntropyLoss" bottom: "x" bottom: "t" '
            f'{rest} loss_param {{ {loss} }} }}')


def _entropy(x: np.ndarray, target: np.ndarray) -> float:
    p = 1 / (1 + np.exp(-x))
    return -(target * np.log(p) + (1 - target) * np.log(1 - p)).sum()


def test_recorded(any_backend):
    run_golden("sigmoid_ce", any_backend)


def _forgets_ignoring(layer):
    layer._kept = lambda target: None


@pytest.mark.parametrize("mode", ["FULL", "VALID", "BATCH_SIZE", "NONE"])
def test_gradient(mode):
    check_broken_is_caught(
        _layer(f"{_IGNORE} normalization: {mode}", rest='top: "loss" loss_weight: 3'),
        [_X, _TARGET], break_op("elementwise", "sigmoid_forward",
                                lambda op: lambda x, y: np.tanh(x, out=y)), loss=True)


def test_gradient_of_soft_targets():
    def keeps_target(layer):
        backward = layer.backward

        def broken(top, down, bottom):
            backward(top, down, bottom)
            bottom[0].diff[...] += bottom[1].data / len(_X)
        layer.backward = broken
    check_broken_is_caught(_layer(), [_X, _RNG.uniform(size=_X.shape)], keeps_target)


def test_ignored_targets_have_no_gradient():
    case = make_layer(_layer(_IGNORE), [_X, _TARGET])
    case.forward()
    case.backward()
    np.testing.assert_array_equal(case.bottom[0].host_diff != 0, _KEPT)
    _forgets_ignoring(case.layer)
    case.backward()
    assert case.bottom[0].host_diff.all()


@pytest.mark.parametrize(("loss", "normaliser"), [
    ("", 4), ("normalization: FULL", 20), ("normalization: VALID", 18),
    ("normalization: BATCH_SIZE", 4), ("normalization: NONE", 1), ("normalize: true", 18),
    ("normalize: false", 4), ("normalize: true normalization: NONE", 1)])
def test_normalisers(loss, normaliser, any_backend64):
    case = make_layer(_layer(f"{_IGNORE} {loss}"), [_X, _TARGET], backend=any_backend64)
    case.forward()
    want = _entropy(_X[_KEPT], _TARGET[_KEPT]) / normaliser
    assert case.top[0].shape == ()
    assert case.top[0].host_data == pytest.approx(want)


def test_without_ignored_targets_all_are_valid():
    case = make_layer(_layer("normalization: VALID"), [_X, np.ones((4, 5))])
    case.forward()
    assert case.top[0].host_data == pytest.approx(_entropy(_X, np.ones((4, 5))) / 20)


def test_nothing_to_answer_costs_nothing():
    case = make_layer(_layer(f"{_IGNORE} normalization: VALID"), [_X, np.full((4, 5), -1.5)])
    case.forward()
    case.backward()
    assert case.top[0].host_data == 0
    assert not case.bottom[0].host_diff.any()


def test_sure_answers_have_a_finite_loss():
    case = make_layer(_layer(), [[[1000.0, -1000.0]], [[0.0, 0.0]]])
    case.forward()
    case.backward()
    assert case.top[0].host_data == 1000
    np.testing.assert_array_equal(case.bottom[0].host_diff, [[1, 0]])


@pytest.mark.parametrize("shape", [(5, 4), (4, 4)])
def test_different_sizes_are_refused(shape):
    with pytest.raises(ShapeError, match="test.prototxt:1:"):
        make_layer(_layer(), [_X, np.zeros(shape)])


def test_targets_have_no_gradient():
    case = make_layer(_layer(), [_X, _TARGET])
    case.forward()
    with pytest.raises(NetError, match="labels"):
        case.backward(propagate_down=[True, True])
