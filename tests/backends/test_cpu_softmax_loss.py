from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.backends.cpu import softmax_loss as ops
from caffe_lrcn.backends.cpu.blocks import BLOCK
from caffe_lrcn.backends.scalars import BAD_LABEL

_RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(5, BLOCK // 2, 1), (3, 4, 6), (1, 1, 1), (0, 3, 2)])
def test_softmax_over_several_blocks_and_in_place(shape, backend):
    x, y = _RNG.normal(size=shape), np.empty(shape)
    ops.softmax_forward(x, y, backend.scratch)
    want = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    np.testing.assert_allclose(y, want)
    dy, dx = _RNG.normal(size=shape), np.empty(shape)
    ops.softmax_backward(y, dy, dx, backend.scratch)
    np.testing.assert_allclose(dx, (dy - (dy * want).sum(1, keepdims=True)) * want, atol=1e-15)
    ops.softmax_backward(y, dy, dy, backend.scratch)
    np.testing.assert_array_equal(dy, dx)
    ops.softmax_forward(x, x, backend.scratch)
    np.testing.assert_array_equal(x, y)


def test_scores_that_are_nan_stay_quiet(backend):
    y = np.empty((1, 2, 1))
    ops.softmax_forward(np.array([[[-np.inf], [-np.inf]]]), y, backend.scratch)
    assert np.isnan(y).all()


def test_loss_and_gradient(backend):
    prob = _RNG.dirichlet(np.ones(4), 6).reshape(3, 2, 4).transpose(0, 2, 1).copy()
    label = np.array([[0, 7], [3, 1], [7, 2]], np.float32)
    loss, valid, status = np.zeros(()), np.zeros(()), np.zeros(1, np.int32)
    ops.loss_forward(prob, label, 7, loss, valid, status, backend.scratch)
    picked = [prob[0, 0, 0], prob[1, 3, 0], prob[1, 1, 1], prob[2, 2, 1]]
    np.testing.assert_allclose(loss, -np.log(picked).sum())
    assert valid == 4 and status == 0
    dx = np.empty_like(prob)
    ops.loss_backward(prob, label, 7, np.asarray(0.5), dx, backend.scratch)
    want = prob.copy()
    for outer, cls, inner in ((0, 0, 0), (1, 3, 0), (1, 1, 1), (2, 2, 1)):
        want[outer, cls, inner] -= 1
    want[0, :, 1] = want[2, :, 0] = 0
    np.testing.assert_allclose(dx, want / 2)


@pytest.mark.parametrize("value", [4, -1, np.nan])
def test_labels_out_of_range_set_the_status_and_count_for_nothing(value, backend):
    label, prob = np.array([[0.0, value]]), np.full((1, 4, 2), 0.25)
    loss, valid, status = np.zeros(()), np.zeros(()), np.full(1, 16, np.int32)
    ops.loss_forward(prob, label, None, loss, valid, status, backend.scratch)
    assert status == 16 | BAD_LABEL and valid == 1
    np.testing.assert_allclose(loss, np.log(4))
    dx = np.empty_like(prob)
    ops.loss_backward(prob, label, None, np.asarray(1.0), dx, backend.scratch)
    assert dx[0, :, 0].any() and not dx[0, :, 1].any()
