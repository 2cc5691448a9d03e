from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.backends.cpu.places import count_up, places


@pytest.mark.parametrize("mask", [[], [0], [1], [1, 1, 1], [0, 0, 0], [0, 1, 0, 1, 1, 0, 0],
                                  [1, 0, 0, 1]])
def test_places_are_those_of_flatnonzero(mask, backend):
    mask = np.array(mask, bool)
    np.testing.assert_array_equal(places(mask, backend.scratch), np.flatnonzero(mask))
    np.testing.assert_array_equal(count_up(len(mask)), np.arange(len(mask)))


def test_places_in_a_large_mask(backend):
    mask = np.random.default_rng(0).random((300, 70)) < 0.3
    np.testing.assert_array_equal(places(mask, backend.scratch), np.flatnonzero(mask))
