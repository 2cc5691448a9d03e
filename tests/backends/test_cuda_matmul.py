"""Matrix products of the CUDA path: cuBLAS takes dense matrices only, so the host does, too."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.backends.cuda.matmul import matmul
from caffe_lrcn.errors import BackendError

WIDE = np.arange(48.0).reshape(4, 12)
DENSE = {"a": np.ones((4, 6)), "b": np.ones((6, 6)), "out": np.zeros((4, 6))}


@pytest.mark.parametrize("name", ["a", "b", "out"])
@pytest.mark.parametrize("spoil", [
    lambda array: np.repeat(array, 2, axis=1)[:, ::2],
    lambda array: np.repeat(array, 2, axis=0)[::2],
    lambda array: np.hstack([array, array])[:, :array.shape[1]], np.asfortranarray])
def test_matrices_that_are_not_dense_are_refused(name, spoil):
    with pytest.raises(BackendError, match=f"'{name}' of a matrix product is not dense"):
        matmul(**{**DENSE, name: spoil(DENSE[name])})


def test_dense_parts_of_stacks_and_single_rows_and_columns_are_taken():
    out = np.zeros((2, 3, 2))
    stack = np.arange(48.0).reshape(2, 6, 4)
    matmul(np.ones((3, 3)), stack[:, :3, :2].copy(), out)
    np.testing.assert_array_equal(out[:, 0], stack[:, :3, :2].sum(axis=1))
    part = np.zeros((2, 4, 4))
    matmul(np.ones((2, 3)), stack[:, 3:], part[:, 1:3])  # rows cut out of each matrix
    np.testing.assert_array_equal(part[:, 1], stack[:, 3:].sum(axis=1))
    row = np.zeros((1, 1))
    matmul(WIDE[1:2, :3], WIDE[:1, 4:7], row, trans_b=True)
    assert row == WIDE[1, :3] @ WIDE[0, 4:7]
