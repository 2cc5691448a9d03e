"""Kernels that take labels or indices, on the host against the CPU backend."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import LabelError, ShapeError

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


@SHAPES
@pytest.mark.parametrize("ignored", [None, -1, 0, 255])
def test_loss(shape, ignored, dtype):
    prob, label = loss_case(shape, dtype)
    if ignored is not None:
        label[0, 0] = ignored
    assert_twins("softmax_loss.loss_forward", prob, label, ignored, dtype=dtype)
    scale = np.asarray(0.3, dtype)
    for dx in (rubbish(shape, dtype), prob):
        assert_twins("softmax_loss.loss_backward", prob, label, ignored, scale, dx, dtype=dtype)


def test_loss_of_an_impossible_class_is_finite(dtype):
    prob = np.array([[[0.0], [1.0]]], dtype)
    _, (loss, count) = assert_twins("softmax_loss.loss_forward", prob, np.zeros((1, 1), dtype),
                                    None, dtype=dtype)
    np.testing.assert_allclose(loss, -np.log(np.finfo(np.float32).tiny), rtol=1e-6)
    assert count == 1


@pytest.mark.parametrize("bad, ignored, text", [
    (4, None, "4"), (-1, None, "-1"), (-2, -1, "-2"), (1e20, -1, "1e"), (np.nan, -1, "nan"),
    (-np.inf, None, "-inf")])
def test_a_label_that_is_no_class(bad, ignored, text, dtype):
    prob, label = loss_case((3, 4, 2), dtype)
    label[2, 1] = bad
    for device in ("cpu", "cuda-host"):
        with pytest.raises(LabelError, match=r"0 to 3.*ignore_label") as caught:
            get_backend(device, dtype).softmax_loss.loss_forward(prob, label, ignored)
        assert caught.value.got.startswith(text)


def test_a_negative_fraction_is_class_zero(dtype):
    prob, _ = loss_case((1, 4, 1), dtype)
    label = np.full((1, 1), -0.5, dtype)
    _, (_, count) = assert_twins("softmax_loss.loss_forward", prob, label, -1, dtype=dtype)
    assert count == 1


def test_labels_of_another_shape_are_refused(dtype):
    prob, label = loss_case((3, 4, 2), dtype)
    with pytest.raises(ShapeError, match="label"):
        get_backend("cuda-host", dtype).softmax_loss.loss_forward(prob, label[:2], None)


INDEX = [[3, 0, -1, 3], [6, 3, -1.5, 0.9], [-0.5, 6.9, -1, 3]]


@pytest.mark.parametrize("bias", [True, False])
def test_embed(bias, dtype):
    index, weight, b = np.array(INDEX, dtype), values((7, 5), dtype), values(5, dtype, 1)
    (*_, out), _ = assert_twins("embed.forward", index, weight, b if bias else None,
                                rubbish((3, 4, 5), dtype), dtype=dtype)
    assert not out[0, 2].any() and not out[1, 2].any()
    dy, d_weight, d_bias = (values(shape, dtype, seed)
                            for seed, shape in ((2, (3, 4, 5)), (3, (7, 5)), (4, 5)))
    assert_twins("embed.backward", index, dy, d_weight, d_bias if bias else None, dtype=dtype)
    assert_twins("embed.backward", index, dy, None, d_bias, dtype=dtype)


def test_embed_of_padding_only(dtype):
    index, weight = np.full((2, 3), -1, dtype), values((4, 5), dtype)
    assert_twins("embed.forward", index, weight, values(5, dtype, 1), rubbish((2, 3, 5), dtype),
                 dtype=dtype)
    assert_twins("embed.backward", index, values((2, 3, 5), dtype), weight, values(5, dtype, 1),
                 dtype=dtype)


def test_embed_adds_the_gradients_of_a_row_in_order(dtype):
    rng = np.random.default_rng(5)
    index = rng.integers(-1, 3, 200).astype(dtype)
    dy, d_weight = values((200, 3), dtype), np.zeros((3, 3), dtype)
    get_backend("cuda-host", dtype).embed.backward(index, dy, d_weight, None)
    wanted = np.zeros_like(d_weight)
    for row, gradient in zip(index.astype(int), dy, strict=True):
        if row >= 0:
            wanted[row] += gradient
    np.testing.assert_array_equal(d_weight, wanted)


@pytest.mark.parametrize("bad, text", [(7, "7"), (-2, "-2"), (-3.5, "-3.5"), (np.nan, "nan"),
                                       (1e20, "1e")])
def test_an_index_outside_the_table(bad, text, dtype):
    index, weight = np.array(INDEX, dtype), values((7, 5), dtype)
    index[1, 1] = bad
    for device in ("cpu", "cuda-host"):
        with pytest.raises(LabelError, match="0 to 6") as caught:
            get_backend(device, dtype).embed.forward(index, weight, None,
                                                     rubbish((3, 4, 5), dtype))
        assert caught.value.got.startswith(text)
