from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.backends.cpu.blocks import BLOCK
from caffe_lrcn.errors import NetError
from tests.harness.layers import make_layer, run_golden


def _layer(threshold: float = 0, top: str = "y") -> str:
    return (f'layer {{ name: "t" type: "Threshold" bottom: "x" top: "{top}" '
            f'threshold_param {{ threshold: {threshold} }} }}')


def test_recorded(any_backend):
    run_golden("threshold", any_backend)


@pytest.mark.parametrize("top", ["x", "y"])
def test_values(top, any_backend):
    case = make_layer(_layer(0.5, top), [[-1.0, 0.5, 0.75, np.nan]], backend=any_backend)
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, [0, 0, 1, 0])


def test_large_blobs(any_backend):
    x = np.random.default_rng(0).normal(size=(2, BLOCK + 3))
    case = make_layer(_layer(), [x], backend=any_backend)
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, x > 0)


def test_has_no_gradient():
    case = make_layer(_layer(), [[1.0]])
    case.forward()
    with pytest.raises(NetError, match="layer 't': Threshold has no gradient"):
        case.backward([[1.0]])
