"""Scores of a classifier, against counts by hand and against SciPy's tests."""
from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from caffe_lrcn.errors import DataError
from caffe_lrcn.metrics.classes import (
    accuracy,
    class_accuracies,
    confusion_matrix,
    differences,
    mcnemar,
    top_k,
)
from tests.metrics.test_imports import OF_NETS

LABELS, PREDICTED = [0, 0, 0, 1, 1, 3], [0, 0, 1, 1, 0, 1]


def test_rows_are_true_classes_and_columns_predicted_ones():
    matrix = confusion_matrix(LABELS, PREDICTED, 4)
    assert matrix.tolist() == [[2, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
    assert accuracy(matrix) == 0.5
    np.testing.assert_array_equal(class_accuracies(matrix), [2 / 3, 1 / 2, np.nan, 0])


def test_bad_classes_and_lengths_are_named():
    with pytest.raises(DataError, match=r"out of range \(got 4, wanted 0 to 3\)"):
        confusion_matrix([4], [0], 4)
    with pytest.raises(DataError, match=r"out of range \(got -1"):
        confusion_matrix([0], [-1], 4)
    with pytest.raises(DataError, match="2 labels, 1 predictions"):
        confusion_matrix([0, 1], [0], 4)
    with pytest.raises(DataError, match="no videos"):
        accuracy(np.zeros((2, 2), int))
    with pytest.raises(DataError, match="0 labels"):
        top_k(np.zeros((0, 3)), [], 1)
    with pytest.raises(DataError, match=r"k is out of range \(got 4, wanted 1 to 3"):
        top_k(np.ones((1, 3)), [0], 4)
    with pytest.raises(DataError, match="1 and 2 videos"):
        mcnemar([True], [True, False])


def test_top_k_counts_places():
    values = np.array([[0.1, 0.6, 0.3], [0.5, 0.2, 0.3], [0.1, 0.2, 0.7]])
    assert [top_k(values, [2, 0, 0], k) for k in (1, 2, 3)] == [1 / 3, 2 / 3, 1]


def test_top_1_of_equal_probabilities_is_what_argmax_finds():
    values = np.random.default_rng(1).integers(0, 3, (200, 5)) / 3
    labels = np.random.default_rng(2).integers(0, 5, 200)
    matrix = confusion_matrix(labels, values.argmax(axis=1), 5)
    assert top_k(values, labels, 1) == accuracy(matrix)
    assert top_k(values, labels, 5) == 1


def test_differences_stand_as_in_the_tables():
    first, second = np.array([0.9, 0.5, np.nan, 0.2, 0.5]), np.array([0.5, 0.5, 1.0, 0.6, 0.5])
    assert differences("ABCDE", first, second) == [
        ("A", pytest.approx(0.4)), ("B", 0), ("E", 0), ("D", pytest.approx(-0.4))]


def outcomes(both, only_first, only_second, none):
    first = [True] * (both + only_first) + [False] * (only_second + none)
    second = [True] * both + [False] * only_first + [True] * only_second + [False] * none
    return first, second


@pytest.mark.parametrize("a, b", [(0, 0), (1, 0), (5, 5), (9, 2), (2, 9), (24, 0), (12, 12)])
def test_few_differences_get_the_exact_test(a, b):
    found = mcnemar(*outcomes(7, a, b, 3))
    assert (found.only_first, found.only_second, found.statistic) == (a, b, None)
    wanted = stats.binomtest(a, a + b, 0.5).pvalue if a + b else 1
    assert found.p == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("a, b, statistic", [(20, 5, 196 / 25), (40, 40, 0), (121, 59, 3721 / 180)])
def test_many_differences_get_chi_square(a, b, statistic):
    found = mcnemar(*outcomes(100, a, b, 10))
    assert found.statistic == pytest.approx(statistic)
    assert found.p == pytest.approx(stats.chi2.sf(statistic, 1), rel=1e-10)
    assert (found.only_first, found.only_second) == (a, b)


def test_no_net_and_no_scipy_are_imported():
    script = "import sys, caffe_lrcn.metrics.classes; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True,
                            text=True).stdout.split()
    assert [name for name in loaded if name.startswith((*OF_NETS, "scipy"))] == []
