"""Statistics of arrays and tables, as NumPy and the eye find them."""
from __future__ import annotations

import math

import numpy as np
import pytest

from caffe_lrcn.inspection.statistics import describe, table


def test_statistics_are_those_of_numpy():
    values = np.random.default_rng(1).normal(3, 2, 700_001).astype(np.float32)  # three blocks
    values[::7] = 0
    found = describe(values.reshape(1, -1))
    wide = values.astype(np.float64)
    assert (found.count, found.min, found.max) == (wide.size, wide.min(), wide.max())
    assert found.mean == pytest.approx(wide.mean(), rel=1e-12)
    assert found.std == pytest.approx(wide.std(), rel=1e-12)
    assert (found.zeros, found.nans) == (int((wide == 0).sum()), 0)


def test_statistics_without_nan():
    found = describe(np.array([np.nan, 0, 4, np.nan], np.float32))
    assert (found.min, found.max, found.mean, found.std) == (0, 4, 2, 2)
    assert (found.nans, found.zero_share) == (2, 0.25)


@pytest.mark.parametrize("values", [[], [math.nan]])
def test_statistics_of_nothing(values):
    found = describe(np.array(values, np.float32))
    assert math.isnan(found.min) and math.isnan(found.mean) and math.isnan(found.std)


def test_statistics_of_infinity():
    found = describe(np.array([np.inf, 1.0]))
    assert found.max == np.inf and found.nans == 0 and math.isnan(found.std)


def test_tables_are_aligned():
    assert table(("ab", "n"), [("c", "10"), ("def", "9")], (False, True)) == (
        "ab    n\nc    10\ndef   9")
