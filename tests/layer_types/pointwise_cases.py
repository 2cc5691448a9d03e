"""What tests of element-by-element layers share."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from caffe_lrcn.backends.cpu.blocks import BLOCK
from caffe_lrcn.layer_types.base import Layer
from tests.harness.layers import during_backward, make_layer


def break_slope(wrap: Callable[[Any, Any], Any]) -> Callable[[Layer], None]:
    """Return a ``mutate`` that replaces the slope by ``wrap(x, slope)``."""
    return during_backward("slope", lambda true: lambda x: wrap(x, true(x)))


def use_the_output(layer: Any) -> None:
    """Break a layer: differentiate at the output, as if nothing had been kept in place."""
    true = layer.backward

    def broken(top: Any, down: Any, bottom: Any) -> None:
        kept, layer._kept = layer._kept, top[0]
        true(top, down, bottom)
        layer._kept = kept
    layer.backward = broken


def forward_and_back(prototxt: str, x: Any, dy: Any = 1.0, **options: Any) -> tuple[Any, Any]:
    """Return the top and the bottom's diff."""
    case = make_layer(prototxt, [x], **options)
    case.forward()
    y = case.top[0].host_data.copy()
    case.backward([dy])
    return y, case.bottom[0].host_diff.copy()


def check_more_than_a_block(prototxt: str, backend: Any, low: float = -2.0) -> None:
    """Compare a blob that is worked through in several pieces with its parts on their own."""
    x = np.random.default_rng(3).uniform(low, 2, 2 * BLOCK + 5).astype(backend.dtype)
    y, dx = forward_and_back(prototxt, x, x, backend=backend)
    for start in (0, BLOCK - 3, 2 * BLOCK):
        part = slice(start, start + 5)
        part_y, part_dx = forward_and_back(prototxt, x[part], x[part], backend=backend)
        np.testing.assert_allclose(y[part], part_y, rtol=1e-6)
        np.testing.assert_allclose(dx[part], part_dx, rtol=1e-6)
