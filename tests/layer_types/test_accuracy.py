from __future__ import annotations

import logging

import numpy as np
import pytest

from caffe_lrcn.errors import LabelError, NetError, PrototxtError, ShapeError
from tests.harness.layers import make_layer, run_golden

_RNG = np.random.default_rng(0)


def _layer(param: str = "", tops: int = 1) -> str:
    names = " ".join(f'top: "t{i}"' for i in range(tops))
    return (f'layer {{ name: "acc" type: "Accuracy" bottom: "x" bottom: "label" {names} '
            f'accuracy_param {{ {param} }} }}')


def _accuracy(scores, label, param: str = "") -> float:
    case = make_layer(_layer(param), [scores, label])
    case.forward()
    assert case.top[0].shape == ()
    return float(case.top[0].host_data)


@pytest.mark.parametrize("name", ["accuracy", "accuracy_topk_axis"])
def test_recorded(name, any_backend):
    run_golden(name, any_backend)


@pytest.mark.parametrize("top_k", [1, 3])
def test_against_sorting(top_k):
    scores, label = _RNG.normal(size=(50, 6)), _RNG.integers(0, 6, 50)
    best = np.argsort(-scores, axis=1)[:, :top_k]
    want = (best == label[:, None]).any(axis=1).mean()
    assert _accuracy(scores, label, f"top_k: {top_k}") == pytest.approx(want)


def test_ties_are_wrong():
    # CAFFE-QUIRK
    assert _accuracy([[1, 1, 0]], [0]) == 0
    assert _accuracy([[1, 1, 0]], [0], "top_k: 2") == 1


def test_nan_is_right_and_warned_of_once(caplog):
    # CAFFE-QUIRK
    with caplog.at_level(logging.WARNING):
        case = make_layer(_layer(), [[[np.nan, np.nan], [1, 0]], [0, 1]])
        case.forward()
        case.forward()
    assert case.top[0].host_data == 0.5
    assert caplog.text.count("NaN") == 1 and "'acc'" in caplog.text


def test_ignored_labels_do_not_count():
    scores = [[1, 0], [1, 0], [0, 1]]
    assert _accuracy(scores, [0, 1, 1], "ignore_label: 0") == 0.5
    assert _accuracy(scores, [-1, -1, -1], "ignore_label: -1") == 0


def test_a_denominator_replaces_the_number_of_labels(any_backend):
    scores, label = [[1, 0], [1, 0], [0, 1]], [0, 1, 1]
    assert _accuracy(scores, label, "denominator: 8") == 2 / 8
    assert _accuracy(scores, label, "denominator: 8 ignore_label: 0") == 1 / 8
    assert _accuracy(scores, label, "denominator: 0 ignore_label: 0") == 1 / 2
    case = make_layer(_layer("denominator: 8", 2), [scores, label], backend=any_backend)
    case.forward()
    np.testing.assert_array_equal(case.top[1].host_data, [1, 0.5])


@pytest.mark.parametrize("value", ["-1", "nan"])
def test_impossible_denominators_are_refused(value):
    with pytest.raises(PrototxtError, match="layer 'acc': denominator must not be negative"):
        make_layer(_layer(f"denominator: {value}"), [[[1, 0]], [0]])


def test_share_for_each_class():
    case = make_layer(_layer("ignore_label: -1", 2),
                      [[[1, 0, 0], [0, 1, 0], [1, 0, 0], [1, 0, 0]], [0, 0, 0, -1]])
    case.forward()
    assert case.top[1].shape == (3,)
    np.testing.assert_allclose(case.top[1].host_data, [2 / 3, 0, 0])


def test_classes_along_another_axis():
    scores, label = _RNG.normal(size=(3, 2, 5)), _RNG.integers(0, 5, (3, 2))
    want = (scores.argmax(2) == label).mean()
    assert _accuracy(scores, label, "axis: -1") == pytest.approx(want)
    assert _accuracy(scores.transpose(0, 2, 1), label) == pytest.approx(want)


@pytest.mark.parametrize("value", [2, -1, np.nan])
def test_labels_that_are_no_class_are_refused(value):
    with pytest.raises(LabelError, match="layer 'acc'.*wanted 0 to 1"):
        _accuracy([[1, 0], [0, 1]], [0, value])


@pytest.mark.parametrize("top_k", [0, 3])
def test_impossible_top_k_is_refused(top_k):
    with pytest.raises(PrototxtError, match="top_k must lie between"):
        make_layer(_layer(f"top_k: {top_k}"), [[[1, 0]], [0]])


def test_a_wrong_number_of_labels_is_refused():
    with pytest.raises(ShapeError, match="one label for each prediction"):
        make_layer(_layer(), [np.zeros((2, 3)), np.zeros(3)])


def test_transposed_labels_are_explained():
    with pytest.raises(ShapeError, match="transposed"):
        make_layer(_layer("axis: 2"), [np.zeros((3, 2, 5)), np.zeros((2, 3))])


def test_has_no_gradient():
    case = make_layer(_layer(), [[[1, 0]], [0]])
    case.forward()
    case.backward()
    with pytest.raises(NetError, match="no gradient"):
        case.backward(propagate_down=[True, False])
