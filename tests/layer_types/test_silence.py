from __future__ import annotations

import numpy as np

from tests.harness.layers import make_layer, run_golden

_TEXT = 'layer { name: "s" type: "Silence" bottom: "x" bottom: "y" }'


def test_recorded(any_backend):
    run_golden("silence", any_backend)


def test_gradient_is_zero_where_wanted():
    case = make_layer(_TEXT, [np.ones(3), np.ones(2)])
    for blob in case.bottom:
        blob.host_diff[...] = 5
    case.forward()
    case.backward(propagate_down=[True, False])
    assert not case.bottom[0].host_diff.any()
    assert (case.bottom[1].host_diff == 5).all()
