"""Kernels that take labels or indices, on the host against the CPU backend."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.backends.scalars import BAD_INDEX, BAD_LABEL, NAN_SCORE, NOT_FINITE
from caffe_lrcn.errors import ShapeError

from .twins import assert_twins, rubbish, values

pytestmark = [pytest.mark.usefixtures("cuda_grid"),
              pytest.mark.parametrize("dtype", [np.float32, np.float64])]
SHAPES = pytest.mark.parametrize("shape", [(3, 5, 1), (2, 4, 3), (1, 1, 1), (2, 70, 2)])


def softmax(x):
    y = np.exp(x - x.max(axis=1, keepdims=True))
    return y / y.sum(axis=1, keepdims=True)


@SHAPES
def test_softmax(shape, dtype):
    x, dy = 30 * values(shape, dtype), values(shape, dtype, 1)
    y = softmax(values(shape, dtype, 2))
    for out in (rubbish(shape, dtype), x):
        assert_twins("softmax_loss.softmax_forward", x, out, dtype=dtype)
    for dx in (rubbish(shape, dtype), dy):
        assert_twins("softmax_loss.softmax_backward", y, dy, dx, dtype=dtype)


def loss_case(shape, dtype):
    rng = np.random.default_rng(3)
    label = rng.integers(0, shape[1], (shape[0], shape[2])).astype(dtype)
    label += dtype(0.9) * rng.integers(0, 2, label.shape).astype(dtype)  # fractions are cut off
    return softmax(5 * values(shape, dtype)), label


def loss_forward(prob, label, ignored, dtype):
    """Return what both backends write: loss, number of labels that count, status."""
    (*_, loss, count, status), _ = assert_twins(
        "softmax_loss.loss_forward", prob, label, ignored, np.full(1, 9, dtype),
        np.full(1, 9, dtype), np.zeros(1, np.int32), dtype=dtype)
    return loss, count, status


@SHAPES
@pytest.mark.parametrize("ignored", [None, -1, 0, 255])
def test_loss(shape, ignored, dtype):
    prob, label = loss_case(shape, dtype)
    if ignored is not None:
        label[0, 0] = ignored
    loss_forward(prob, label, ignored, dtype)
    picked = np.full(label.shape, 99, np.int32)
    (*_, status), _ = assert_twins("softmax_loss.class_indices", label, shape[1], ignored, picked,
                                   np.zeros(1, np.int32), dtype=dtype)
    assert status == 0
    scale = np.asarray(0.3, dtype)
    for dx in (rubbish(shape, dtype), prob):
        assert_twins("softmax_loss.loss_backward", prob, label, ignored, scale, dx, dtype=dtype)


def test_loss_of_an_impossible_class_is_finite(dtype):
    prob = np.array([[[0.0], [1.0]]], dtype)
    loss, count, _ = loss_forward(prob, np.zeros((1, 1), dtype), None, dtype)
    np.testing.assert_allclose(loss, -np.log(np.finfo(np.float32).tiny), rtol=1e-6)
    assert count == 1


@pytest.mark.parametrize("bad, ignored", [
    (4, None), (-1, None), (-2, -1), (1e20, -1), (np.nan, -1), (-np.inf, None)])
def test_a_label_that_is_no_class_counts_for_nothing(bad, ignored, dtype):
    prob, label = loss_case((3, 4, 2), dtype)
    label[2, 1] = bad
    _, count, status = loss_forward(prob, label, ignored, dtype)
    assert count == 5 and status == BAD_LABEL
    (*_, dx), _ = assert_twins("softmax_loss.loss_backward", prob, label, ignored,
                               np.asarray(0.3, dtype), rubbish(prob.shape, dtype), dtype=dtype)
    assert not dx[2, :, 1].any() and dx[2, :, 0].any()
    (*_, picked, status), _ = assert_twins(
        "softmax_loss.class_indices", label, 4, ignored, np.full(label.shape, 99, np.int32),
        np.zeros(1, np.int32), dtype=dtype)
    assert picked[2, 1] == -1 and picked.min(initial=0, where=picked != -1) == 0
    assert status == BAD_LABEL


@SHAPES
def test_elements_of_classes(shape, dtype):
    x = values(shape, dtype)
    picked = np.random.default_rng(4).integers(-1, shape[1], (shape[0], shape[2]), np.int32)
    places = np.maximum(picked, 0)[:, None]
    (*_, out), _ = assert_twins("softmax_loss.read_classes", x, picked,
                                rubbish(picked.shape, dtype), dtype=dtype)
    np.testing.assert_array_equal(out, np.take_along_axis(x, places, axis=1)[:, 0])
    (written, *_), _ = assert_twins("softmax_loss.write_classes", x, picked, -out, dtype=dtype)
    np.put_along_axis(x, places, -out[:, None], axis=1)
    np.testing.assert_array_equal(written, x)


@SHAPES
@pytest.mark.parametrize("top_k", [1, 2])
def test_accuracy(shape, top_k, dtype):
    scores = np.round(values(shape, dtype))  # with ties
    picked = np.random.default_rng(4).integers(-1, shape[1], (shape[0], shape[2]), np.int32)
    scores[0, :, 0] = np.nan
    (*_, hits, valid, status), _ = assert_twins(
        "softmax_loss.accuracy", scores, picked, top_k, np.full(picked.shape, 9, np.int32),
        np.full(1, 9, dtype), np.full(1, 9, dtype), np.zeros(1, np.int32), dtype=dtype)
    assert status == (NAN_SCORE if picked[0, 0] >= 0 else 0)
    assert valid == (picked >= 0).sum() and hits <= valid


@pytest.mark.parametrize("weights", [True, False])
def test_losses_are_added_up(weights, dtype):
    x = values((7, 5), dtype)
    w = values((7, 5), dtype, 1) if weights else None
    (*_, total, status), _ = assert_twins("softmax_loss.add_loss", x, w, 0.3, np.full(1, 2.0),
                                          np.zeros(1, np.int32), dtype=dtype)
    np.testing.assert_allclose(total, 2 + 0.3 * (x * (w if weights else 1)).sum(), rtol=1e-5)
    assert status == 0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_loss_that_is_not_finite_sets_a_bit(value, dtype):
    (*_, status), _ = assert_twins("softmax_loss.add_loss", np.full(1, value, dtype), None, 1.0,
                                   np.zeros(1), np.zeros(1, np.int32), dtype=dtype)
    assert status == NOT_FINITE


def test_a_negative_fraction_is_class_zero(dtype):
    prob, _ = loss_case((1, 4, 1), dtype)
    label = np.full((1, 1), -0.5, dtype)
    _, count, status = loss_forward(prob, label, -1, dtype)
    assert count == 1 and status == 0


def test_labels_of_another_shape_are_refused(dtype):
    prob, label = loss_case((3, 4, 2), dtype)
    with pytest.raises(ShapeError, match="label"):
        backend = get_backend("cuda-host", dtype)
        backend.softmax_loss.loss_forward(prob, label[:2], None, *np.zeros((2, 1), dtype),
                                          np.zeros(1, np.int32), backend.scratch)


INDEX = [[3, 0, -1, 3], [6, 3, -1.5, 0.9], [-0.5, 6.9, -1, 3]]


@pytest.mark.parametrize("bias", [True, False])
def test_embed(bias, dtype):
    index, weight, b = np.array(INDEX, dtype), values((7, 5), dtype), values(5, dtype, 1)
    (*_, out, _, status), _ = assert_twins(
        "embed.forward", index, weight, b if bias else None, rubbish((3, 4, 5), dtype), -1,
        np.zeros(1, np.int32), dtype=dtype)
    assert status == 0
    assert not out[0, 2].any() and not out[1, 2].any()
    dy, d_weight, d_bias = (values(shape, dtype, seed)
                            for seed, shape in ((2, (3, 4, 5)), (3, (7, 5)), (4, 5)))
    assert_twins("embed.backward", index, dy, d_weight, d_bias if bias else None, dtype=dtype)
    assert_twins("embed.backward", index, dy, None, d_bias, dtype=dtype)


def test_embed_of_padding_only(dtype):
    index, weight = np.full((2, 3), -1, dtype), values((4, 5), dtype)
    assert_twins("embed.forward", index, weight, values(5, dtype, 1), rubbish((2, 3, 5), dtype),
                 -1, np.zeros(1, np.int32), dtype=dtype)
    assert_twins("embed.backward", index, values((2, 3, 5), dtype), weight, values(5, dtype, 1),
                 dtype=dtype)


def test_embed_adds_the_gradients_of_a_row_in_order(dtype):
    rng = np.random.default_rng(5)
    index = rng.integers(-1, 3, 200).astype(dtype)
    dy, d_weight = values((200, 3), dtype), np.zeros((3, 3), dtype)
    backend = get_backend("cuda-host", dtype)
    backend.embed.backward(index, dy, d_weight, None, backend.scratch)
    wanted = np.zeros_like(d_weight)
    for row, gradient in zip(index.astype(int), dy, strict=True):
        if row >= 0:
            wanted[row] += gradient
    np.testing.assert_array_equal(d_weight, wanted)


@pytest.mark.parametrize("bad, least", [(7, -1), (-2, -1), (-3.5, -1), (np.nan, -1), (1e20, -1),
                                        (-1, 0), (-1.5, 0)])
def test_an_index_outside_the_table_gives_zeros(bad, least, dtype):
    index, weight = np.abs(np.array(INDEX, dtype)), values((7, 5), dtype)
    index[1, 1] = bad
    (*_, out, _, status), _ = assert_twins(
        "embed.forward", index, weight, values(5, dtype, 1), rubbish((3, 4, 5), dtype), least,
        np.zeros(1, np.int32), dtype=dtype)
    assert status == BAD_INDEX and not out[1, 1].any() and out[1, 0].any()
    assert_twins("embed.backward", index, values((3, 4, 5), dtype, 2), values((7, 5), dtype, 3),
                 None, dtype=dtype)
