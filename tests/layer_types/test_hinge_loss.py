from __future__ import annotations

import numpy as np
import pytest

from tests.harness.layers import check_broken_is_caught, make_layer, run_golden
from tests.layer_types.spoiled import spoiled

_RNG = np.random.default_rng(0)
_X = 1.5 * _RNG.normal(size=(4, 3, 2))
_LABEL = np.array([0.0, 5, 2, 3])


def _layer(norm: str = "", rest: str = 'top: "loss"') -> str:
    return ('layer { name: "l" type: "HingeLoss" bottom: "x" bottom: "label" '
            f'{rest} hinge_loss_param {{ {norm} }} }}')


def _margins(x: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Return the margins (N, C), sample by sample."""
    rows = x.reshape(len(x), -1)
    return np.array([[max(0, 1 - value) if c == k else max(0, 1 + value)
                      for c, value in enumerate(row)] for row, k in zip(rows, label, strict=True)])


def test_recorded(any_backend):
    run_golden("hinge_l1", any_backend)


def _forgets_the_labels_sign(top, bottom):
    picked = np.arange(len(_LABEL)), _LABEL.astype(int)
    bottom[0].diff.reshape(len(_LABEL), -1)[picked] *= -1


def _ignores_the_margin(top, bottom):
    bottom[0].diff[...] += (bottom[0].data < -1) * 0.1


@pytest.mark.parametrize("change", [_forgets_the_labels_sign, _ignores_the_margin])
@pytest.mark.parametrize("norm", ["norm: L1", "norm: L2"])
def test_gradient(norm, change, any_backend64):
    check_broken_is_caught(_layer(norm, 'top: "loss" loss_weight: 3'), [_X, _LABEL],
                           spoiled(change), loss=True, backend=any_backend64)


@pytest.mark.parametrize(("norm", "power"), [("", 1), ("norm: L1", 1), ("norm: L2", 2)])
def test_value(norm, power, any_backend64):
    case = make_layer(_layer(norm), [_X, _LABEL + 0.9], backend=any_backend64)
    case.forward()
    assert case.top[0].shape == ()
    assert case.top[0].host_data == pytest.approx((_margins(_X, _LABEL) ** power).sum() / 4)


@pytest.mark.parametrize("norm", ["L1", "L2"])
def test_a_margin_of_exactly_zero_has_no_gradient(norm):
    # CAFFE-QUIRK
    case = make_layer(_layer(f"norm: {norm}"), [[[1.0, -1.0, 0.0]], [0]])
    case.forward()
    case.backward()
    np.testing.assert_array_equal(case.bottom[0].host_diff, [[0, 0, 1 if norm == "L1" else 2]])


def test_a_diff_set_before_the_forward_pass_survives_it():
    # CAFFE-QUIRK, mended: Caffe keeps the margins in the diff of the bottom.
    case = make_layer(_layer(), [_X, _LABEL])
    case.bottom[0].host_diff[...] = 7
    case.forward()
    np.testing.assert_array_equal(case.bottom[0].host_diff, 7)
