from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import LabelError, ShapeError
from tests.harness.layers import break_op, check_broken_is_caught, make_layer, run_golden

_RNG = np.random.default_rng(0)
_T, _N, _V = 3, 2, 5
_X = _RNG.normal(size=(_T, _N, _V))
_LABEL = _RNG.integers(0, _V, (_T, _N)).astype(float)
_LABEL[1, 0] = _LABEL[2, 1] = -1
_PADDED = "ignore_label: -1"


def _layer(loss: str = "", axis: int = 2, rest: str = 'top: "loss"') -> str:
    return ('layer { name: "l" type: "SoftmaxWithLoss" bottom: "x" bottom: "label" '
            f'{rest} softmax_param {{ axis: {axis} }} loss_param {{ {loss} }} }}')


def _nll(x: np.ndarray, label: np.ndarray) -> float:
    """Summed loss over labels that are not negative, classes last."""
    prob = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    kept = label >= 0
    return -np.log(prob[kept, label[kept].astype(int)]).sum()


@pytest.mark.parametrize("name", ["softmaxloss", "softmaxloss_axis2_ignore"])
def test_recorded(name, any_backend):
    run_golden(name, any_backend)


def _forgets_ignoring(op):
    return lambda prob, label, ignore, *rest: op(prob, np.maximum(label, 0), None, *rest)


def _forgets_onehot(op):
    return lambda prob, label, ignore, scale, dx, scratch: np.multiply(prob, scale, out=dx)


@pytest.mark.parametrize("broken", [_forgets_ignoring, _forgets_onehot])
@pytest.mark.parametrize("mode", ["FULL", "VALID", "BATCH_SIZE", "NONE"])
def test_gradient(mode, broken):
    check_broken_is_caught(_layer(f"{_PADDED} normalization: {mode}"), [_X, _LABEL],
                           break_op("softmax_loss", "loss_backward", broken))


def test_gradient_carries_the_loss_weight():
    check_broken_is_caught(_layer(_PADDED, rest='top: "loss" loss_weight: 20'), [_X, _LABEL],
                           break_op("softmax_loss", "loss_backward", _forgets_onehot), loss=True)


def test_gradient_with_classes_in_the_middle():
    label = np.array([[0, 1], [2, 1], [1, 0]], float)
    check_broken_is_caught(_layer(axis=1), [_RNG.normal(size=(3, 3, 2)), label],
                           break_op("softmax_loss", "loss_backward", _forgets_onehot))


@pytest.mark.parametrize(("loss", "normaliser"), [
    ("", _T * _N - 2), ("normalization: FULL", _T * _N), ("normalization: VALID", _T * _N - 2),
    ("normalization: BATCH_SIZE", _T * _N), ("normalization: NONE", 1),
    ("normalize: true", _T * _N - 2), ("normalize: false", _T * _N),
    ("normalize: false normalization: NONE", 1)])
def test_normalisers_at_the_last_axis(loss, normaliser, any_backend64):
    case = make_layer(_layer(f"{_PADDED} {loss}"), [_X, _LABEL], backend=any_backend64)
    case.forward()
    assert case.top[0].shape == ()
    assert case.top[0].host_data == pytest.approx(_nll(_X, _LABEL) / normaliser)


def test_batch_size_counts_only_the_axes_before_the_classes():
    x, label = _RNG.normal(size=(3, 4, 6)), _RNG.integers(0, 4, (3, 6)).astype(float)
    losses = []
    for mode in ("BATCH_SIZE", "FULL"):
        case = make_layer(_layer(f"normalization: {mode}", axis=1), [x, label])
        case.forward()
        losses.append(float(case.top[0].host_data))
    assert losses[0] == pytest.approx(6 * losses[1])


def test_nothing_but_padding_costs_nothing():
    # CAFFE-QUIRK: the normaliser is at least 1 (the LRCN branch would divide 0 by 0).
    case = make_layer(_layer(_PADDED), [_X, np.full((_T, _N), -1.0)])
    case.forward()
    case.backward()
    assert case.top[0].host_data == 0
    assert not case.bottom[0].host_diff.any()


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 1, 1, 1)])
def test_label_shapes_for_a_plain_classifier(shape):
    case = make_layer(_layer(axis=1), [_X.reshape(-1, _V)[:4], np.zeros(shape)])
    case.forward()
    assert case.top[0].host_data > 0


def test_improbable_labels_have_a_finite_loss():
    case = make_layer(_layer(axis=1), [[[0.0, 1000.0]], [0]])
    case.forward()
    assert case.top[0].host_data == pytest.approx(-np.log(np.finfo(np.float32).tiny))


def test_fractions_of_labels_are_cut_off():
    case = make_layer(_layer(axis=1, loss="ignore_label: 1"), [_X[0], [1.9, 2.9]])
    case.forward()
    want = _nll(_X[0][1:], np.array([2.0]))
    assert case.top[0].host_data == pytest.approx(want)


def test_second_top_holds_the_probabilities():
    # The reference cannot build this: its inner Softmax inherits both loss weights.
    rest = 'top: "loss" top: "prob" loss_weight: 1 loss_weight: 0'
    case = make_layer(_layer(_PADDED, rest=rest), [_X, _LABEL])
    case.forward()
    case.backward()
    np.testing.assert_allclose(case.top[1].host_data,
                               np.exp(_X) / np.exp(_X).sum(-1, keepdims=True))
    assert case.bottom[0].host_diff.any()


def test_gradient_of_the_probabilities_is_not_used():
    # CAFFE-QUIRK
    rest = 'top: "loss" top: "prob" loss_weight: 1 loss_weight: 0'
    case = make_layer(_layer(_PADDED, rest=rest), [_X, _LABEL])
    case.forward()
    grads = []
    for diff in (0, 9):
        case.backward([None, np.full(_X.shape, diff)])
        grads.append(case.bottom[0].host_diff.copy())
    np.testing.assert_array_equal(*grads)


def test_anonymous_top():
    case = make_layer(_layer(rest=""), [_X, np.zeros((_T, _N))])
    case.forward()
    assert case.top[0].host_data > 0 and case.top[0].host_diff == 1


@pytest.mark.parametrize("value", [5, -1, 1e9, np.nan])
def test_labels_that_are_no_class_are_refused(value, any_backend):
    label = np.zeros((_T, _N))
    label[1, 1] = value
    case = make_layer(_layer(), [_X, label], backend=any_backend)
    with pytest.raises(LabelError, match="wanted 0 to 4"):
        case.forward()


def test_transposed_labels_are_explained():
    with pytest.raises(ShapeError, match="transposed: sequences are time-major, T x N = 3 x 2"):
        make_layer(_layer(), [_X, _LABEL.T])


def test_a_wrong_number_of_labels_is_refused():
    with pytest.raises(ShapeError, match=r"got 9 labels.*wanted 6 of shape \(3, 2\)"):
        make_layer(_layer(), [_X, np.zeros((3, 3))])


def test_another_batch_size_is_refused():
    with pytest.raises(ShapeError, match="test.prototxt:1:.*differ in axis 0"):
        make_layer(_layer(axis=1), [np.zeros((4, 5)), np.zeros(3)])
