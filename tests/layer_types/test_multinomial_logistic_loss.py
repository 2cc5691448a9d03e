from __future__ import annotations

import numpy as np
import pytest

from tests.harness.layers import check_broken_is_caught, make_layer, run_golden
from tests.layer_types.spoiled import spoiled

_PROB = np.random.default_rng(0).uniform(0.1, 1, size=(4, 3, 2))
_LABEL = np.array([0.0, 5, 2, 3])
_PICKED = np.arange(4), _LABEL.astype(int)


def _layer(rest: str = 'top: "loss" loss_weight: 3') -> str:
    return ('layer { name: "l" type: "MultinomialLogisticLoss" bottom: "p" bottom: "label" '
            f'{rest} }}')


def test_recorded(any_backend):
    run_golden("multinomial", any_backend)


def _leaves_other_diffs(top, bottom):
    bottom[0].diff[0, 2] = 0.5


def _forgets_the_weight(top, bottom):
    bottom[0].diff[...] /= top[0].diff


@pytest.mark.parametrize("change", [_leaves_other_diffs, _forgets_the_weight])
def test_gradient(change, any_backend64):
    check_broken_is_caught(_layer(), [_PROB, _LABEL], spoiled(change), loss=True,
                           backend=any_backend64)


def test_value(any_backend64):
    case = make_layer(_layer(), [_PROB, _LABEL + 0.9], backend=any_backend64)
    case.forward()
    assert case.top[0].shape == ()
    want = -np.log(_PROB.reshape(4, 6)[_PICKED]).mean()
    assert case.top[0].host_data == pytest.approx(want)


def test_improbable_labels_have_a_finite_loss_and_gradient():
    # CAFFE-QUIRK: the gradient is that at 1e-20, though the loss no longer changes.
    case = make_layer(_layer(""), [[[0.0, 1.0]], [0]])
    case.forward()
    case.backward()
    assert case.top[0].host_data == pytest.approx(-np.log(1e-20))
    np.testing.assert_allclose(case.bottom[0].host_diff, [[-1e20, 0]])
