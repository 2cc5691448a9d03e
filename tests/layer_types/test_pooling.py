"""Pooling: recorded cases, gradients, the size rule, the mask, and what is refused."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError, ShapeError
from tests.harness.layers import break_op, check_gradients, make_layer, run_golden


def pooling(extra, tops=("y",)):
    ends = " ".join(f'top: "{name}"' for name in tops)
    return (f'layer {{ name: "pool" type: "Pooling" bottom: "x" {ends} '
            f'pooling_param {{ {extra} }} }}')


@pytest.fixture
def x():
    return np.random.default_rng(2).normal(size=(2, 3, 7, 6))


@pytest.mark.parametrize("name", ["pool_max", "pool_max_pad", "pool_ave_pad", "pool_global_ave"])
def test_golden(name, any_backend):
    run_golden(name, any_backend)


@pytest.mark.parametrize("extra, size", [
    ("kernel_size: 3 stride: 2", (3, 3)),  # rounded up
    ("kernel_size: 3 stride: 2 round_mode: FLOOR", (3, 2)),
    ("kernel_size: 2 stride: 2 pad: 1", (4, 4)),  # a window beyond the padding is dropped
    ("kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 1 pad_h: 1 pad_w: 0", (4, 5)),
    ("global_pooling: true", (1, 1)),
])
@pytest.mark.parametrize("method", ["MAX", "AVE"])
def test_gradients_and_size(method, extra, size, x, any_backend64):
    text = pooling(f"pool: {method} {extra}")
    assert make_layer(text, [x]).top[0].shape == (2, 3, *size)
    check_gradients(text, [x], backend=any_backend64)


def shifted(true):
    """Hand every window's gradient to the pixel one row further down."""
    def plan(spec, shape, backend):
        made = true(spec, shape, backend)
        right = made.backward

        def backward(dy, dx):
            right(dy, dx)
            dx[...] = np.roll(dx, 1, axis=2)
        made.backward = backward
        return made
    return plan


@pytest.mark.parametrize("method", ["MAX", "AVE"])
def test_gradient_check_catches(method, x):
    def mutate(layer):
        break_op("pool", "plan", shifted)(layer)
        layer._planned = ()

    with pytest.raises(AssertionError, match="gradient"):
        check_gradients(pooling(f"pool: {method} kernel_size: 3 stride: 2"), [x], mutate=mutate)


def test_second_top_is_the_flat_index_of_the_first_maximum():
    x = np.zeros((1, 1, 3, 4))
    x[0, 0, 1, 1] = x[0, 0, 2, 0] = 5
    case = make_layer(pooling("kernel_size: 2 stride: 2", ("y", "mask")), [x])
    case.forward()
    np.testing.assert_array_equal(case.top[1].host_data[0, 0], [[5, 2], [8, 10]])
    case.backward([np.array([[[[1, 2], [3, 4]]]]), np.full((1, 1, 2, 2), 99)], [True])
    want = [[0, 0, 2, 0], [0, 1, 0, 0], [3, 0, 4, 0]]
    np.testing.assert_array_equal(case.bottom[0].host_diff[0, 0], want)


def test_quirk_average_counts_padding():
    case = make_layer(pooling("pool: AVE kernel_size: 2 stride: 2 pad: 1"), [np.ones((1, 1, 2, 2))])
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, np.full((1, 1, 2, 2), 0.25))


def test_quirk_windows_without_pixels_are_kept_with_a_warning(caplog):
    x = np.ones((1, 1, 3, 1))
    for method, value in (("MAX", -np.finfo(np.float32).max), ("AVE", np.nan)):
        case = make_layer(pooling(f"pool: {method} kernel_size: 1 stride: 3"), [x])
        case.forward()
        assert case.top[0].shape == (1, 1, 2, 1)
        np.testing.assert_array_equal(case.top[0].host_data[0, 0, 1, 0], value)
    assert "hold no pixel" in caplog.text


def test_quirk_mended_no_gradient_where_no_maximum_was():
    case = make_layer(pooling("kernel_size: 2"), [np.full((1, 1, 2, 2), np.nan)])
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, np.float32(-np.finfo(np.float32).max))
    case.backward([np.ones((1, 1, 1, 1))], [True])
    np.testing.assert_array_equal(case.bottom[0].host_diff, 0)


def test_global_pooling_follows_the_size_of_the_picture(x):
    case = make_layer(pooling("pool: AVE global_pooling: true"), [x])
    case.bottom[0].reshape(1, 3, 2, 5)
    case.bottom[0].host_data[...] = x[:1, :, :2, :5]
    case.forward()
    np.testing.assert_allclose(case.top[0].host_data[0, :, 0, 0],
                               x[0, :, :2, :5].mean(axis=(1, 2)))


@pytest.mark.parametrize("extra, message", [
    ("pool: STOCHASTIC kernel_size: 2 pad: 1", "STOCHASTIC pooling has no padding"),
    ("", "the kernel is missing"),
    ("kernel_h: 2", "give kernel_size, or kernel_h and kernel_w"),
    ("kernel_size: 2 kernel_h: 2 kernel_w: 2", "give kernel_size, or"),
    ("kernel_size: 2 stride_w: 2", "give stride, or stride_h and stride_w"),
    ("kernel_size: 2 pad: 1 pad_h: 1 pad_w: 1", "give pad, or pad_h and pad_w"),
    ("kernel_size: 0", "the kernel must be positive"),
    ("kernel_size: 2 stride: 0", "stride must be positive"),
    ("kernel_size: 2 pad: 2", "pad must be smaller than the kernel"),
    ("kernel_size: 9", "larger than the padded input"),
    ("global_pooling: true kernel_size: 2", "takes its kernel from the input"),
    ("global_pooling: true stride: 2", "pad 0 and stride 1 only"),
    ("global_pooling: true pad: 1", "pad 0 and stride 1 only"),
])
def test_refuses(extra, message, x):
    with pytest.raises((PrototxtError, ShapeError), match=message) as caught:
        make_layer(pooling(extra), [x])
    assert "test.prototxt:1" in str(caught.value) and "layer 'pool'" in str(caught.value)


def test_refuses_other_axes_and_a_mask_of_means(x):
    with pytest.raises(ShapeError, match="four axes"):
        make_layer(pooling("kernel_size: 2"), [x[0]])
    with pytest.raises(PrototxtError, match="only MAX pooling has a second top"):
        make_layer(pooling("pool: AVE kernel_size: 2", ("y", "mask")), [x])
