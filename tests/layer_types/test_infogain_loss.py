from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import DataError, LabelError, NetError, PrototxtError, ShapeError
from caffe_lrcn.proto.blob_proto import write_blob_proto
from tests.harness.layers import check_broken_is_caught, make_layer
from tests.layer_types.spoiled import spoiled

_RNG = np.random.default_rng(0)
_T, _N, _C = 3, 2, 4
_X = _RNG.normal(size=(_T, _N, _C))
_LABEL = _RNG.integers(0, _C, (_T, _N)).astype(float)
_LABEL[1, 0] = -1
_H = _RNG.uniform(0.1, 2, size=(_C, _C))
_IGNORE = "ignore_label: -1"


def _layer(loss: str = "", info: str = "axis: 2", rest: str = 'top: "loss"',
           matrix: str = 'bottom: "H"') -> str:
    return (f'layer {{ name: "l" type: "InfogainLoss" bottom: "x" bottom: "label" {matrix} {rest} '
            f'infogain_loss_param {{ {info} }} loss_param {{ {loss} }} }}')


def _total(x: np.ndarray, label: np.ndarray) -> float:
    """Return the sum over labels that are not negative, classes last, from the definition."""
    total = 0.0
    for scores, k in zip(x.reshape(-1, _C), label.reshape(-1).astype(int), strict=True):
        prob = np.exp(scores) / np.exp(scores).sum()
        total -= (_H[k] * np.log(prob)).sum() if k >= 0 else 0
    return total


def _forgets_row_sums(top, bottom):
    prob = np.exp(bottom[0].data) / np.exp(bottom[0].data).sum(-1, keepdims=True)
    bottom[0].diff[...] += 0.1 * prob


def _forgets_ignoring(top, bottom):
    bottom[0].diff[1, 0] = 0.1


@pytest.mark.parametrize("change", [_forgets_row_sums, _forgets_ignoring])
@pytest.mark.parametrize("mode", ["FULL", "VALID", "BATCH_SIZE", "NONE"])
def test_gradient(mode, change, any_backend64):
    check_broken_is_caught(
        _layer(f"{_IGNORE} normalization: {mode}", rest='top: "loss" loss_weight: 3'),
        [_X, _LABEL, _H], spoiled(change), loss=True, backend=any_backend64)


def _takes_rows_for_columns(top, bottom):
    diff = bottom[0].diff
    diff[...] = diff.transpose(0, 2, 1).reshape(diff.shape)


def test_gradient_with_classes_in_the_middle():
    check_broken_is_caught(_layer(_IGNORE, "axis: 1"),
                           [_X.transpose(0, 2, 1).copy(), _LABEL, _H],
                           spoiled(_takes_rows_for_columns))


@pytest.mark.parametrize(("loss", "normaliser"), [
    ("", 5), ("normalization: FULL", 6), ("normalization: VALID", 5),
    ("normalization: BATCH_SIZE", 6), ("normalization: NONE", 1)])
def test_normalisers(loss, normaliser, any_backend64):
    case = make_layer(_layer(f"{_IGNORE} {loss}"), [_X, _LABEL, _H], backend=any_backend64)
    case.forward()
    assert case.top[0].shape == ()
    assert case.top[0].host_data == pytest.approx(_total(_X, _LABEL) / normaliser)


def test_classes_lie_along_axis_1_by_default():
    case = make_layer(_layer(info=""), [_X[0], [1.9, 2], _H])
    case.forward()
    assert case.top[0].host_data == pytest.approx(_total(_X[0], np.array([1, 2])) / 2)


@pytest.mark.parametrize("shape", [(_C, _C), (1, 1, _C, _C)])
def test_matrix_from_a_file(shape, tmp_path):
    write_blob_proto(tmp_path / "H.binaryproto", _H.reshape(shape))
    text = _layer(_IGNORE, f'axis: 2 source: "{tmp_path / "H.binaryproto"}"', matrix="")
    case = make_layer(text, [_X, _LABEL])
    case.forward()
    case.backward()
    given = make_layer(_layer(_IGNORE), [_X, _LABEL, _H])
    given.forward()
    given.backward()
    assert case.top[0].host_data == given.top[0].host_data
    np.testing.assert_array_equal(case.bottom[0].host_diff, given.bottom[0].host_diff)


def test_a_bottom_wins_over_the_file_and_may_change():
    case = make_layer(_layer(_IGNORE, 'axis: 2 source: "nowhere"'), [_X, _LABEL, 2 * _H])
    for factor in (2, 3):
        case.bottom[2].host_data[...] = factor * _H
        case.forward()
        assert case.top[0].host_data == pytest.approx(factor * _total(_X, _LABEL) / 5)


def test_with_the_unit_matrix_it_is_softmax_with_loss():
    case = make_layer(_layer(_IGNORE), [_X, _LABEL, np.eye(_C)])
    plain = make_layer('layer { name: "l" type: "SoftmaxWithLoss" bottom: "x" bottom: "label" '
                       'softmax_param { axis: 2 } loss_param { ignore_label: -1 } }', [_X, _LABEL])
    for each in (case, plain):
        each.forward()
        each.backward()
    assert case.top[0].host_data == pytest.approx(float(plain.top[0].host_data))
    np.testing.assert_allclose(case.bottom[0].host_diff, plain.bottom[0].host_diff, atol=1e-15)


def test_improbable_classes_cost_a_finite_sum():
    case = make_layer(_layer(info=""), [[[0.0, 1000.0]], [0], np.eye(2)])
    case.forward()
    assert case.top[0].host_data == pytest.approx(-np.log(1e-20))


def test_second_top_holds_the_probabilities_and_hands_no_gradient_back():
    # CAFFE-QUIRK: the gradient of the probabilities is not used.
    rest = 'top: "loss" top: "prob" loss_weight: 1 loss_weight: 0'
    case = make_layer(_layer(_IGNORE, rest=rest), [_X, _LABEL, _H])
    case.forward()
    grads = []
    for diff in (0, 9):
        case.backward([None, np.full(_X.shape, diff)])
        grads.append(case.bottom[0].host_diff.copy())
    np.testing.assert_allclose(case.top[1].host_data,
                               np.exp(_X) / np.exp(_X).sum(-1, keepdims=True))
    np.testing.assert_array_equal(*grads)


def test_an_ignored_label_may_be_no_class():
    # CAFFE-QUIRK, mended: Caffe's debug builds look at the range first.
    case = make_layer(_layer("ignore_label: 255"), [_X, np.full((_T, _N), 255.0), _H])
    case.forward()
    case.backward()
    assert case.top[0].host_data == 0 and not case.bottom[0].host_diff.any()


@pytest.mark.parametrize("value", [_C, -1, np.nan])
def test_labels_that_are_no_class_are_refused(value, any_backend):
    label = np.zeros((_T, _N))
    label[1, 1] = value
    case = make_layer(_layer(), [_X, label, _H], backend=any_backend)
    with pytest.raises(LabelError, match="test.prototxt:1:.*'l'.*number 3 .*wanted 0 to 3"):
        case.forward()


def test_an_older_field_is_refused():
    with pytest.raises(PrototxtError, match="test.prototxt:1:.*Use normalization: VALID"):
        make_layer(_layer("normalize: true"), [_X, _LABEL, _H])


def test_a_missing_matrix_is_refused(tmp_path):
    with pytest.raises(PrototxtError, match="test.prototxt:1:.*the matrix is missing.*source"):
        make_layer(_layer(matrix=""), [_X, _LABEL])
    with pytest.raises(DataError, match="nowhere"):
        make_layer(_layer(info=f'source: "{tmp_path}/nowhere"', matrix=""), [_X, _LABEL])


def test_other_sizes_are_refused(tmp_path):
    with pytest.raises(ShapeError, match="the matrix does not fit.*wanted 4 x 4"):
        make_layer(_layer(), [_X, _LABEL, np.zeros((4, 3))])
    write_blob_proto(tmp_path / "H", np.eye(5))
    with pytest.raises(ShapeError, match="test.prototxt:1:.*wanted 4 x 4"):
        make_layer(_layer(info=f'axis: 2 source: "{tmp_path}/H"', matrix=""), [_X, _LABEL])
    with pytest.raises(ShapeError, match="got 9 labels"):
        make_layer(_layer(), [_X, np.zeros((3, 3)), _H])


@pytest.mark.parametrize("down", [[True, True, False], [True, False, True]])
def test_labels_and_matrix_have_no_gradient(down):
    case = make_layer(_layer(_IGNORE), [_X, _LABEL, _H])
    assert case.default_propagate_down() == [True, False, False]
    case.forward()
    with pytest.raises(NetError, match="InfogainLoss has no gradient"):
        case.backward(propagate_down=down)
