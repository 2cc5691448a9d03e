from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError, ShapeError
from caffe_lrcn.layer_types.base import Settings
from tests.harness.layers import TEST, TRAIN, check_broken_is_caught, make_layer
from tests.layer_types.spoiled import spoiled

_X = np.random.default_rng(0).uniform(0.1, 1, size=(2, 3, 8, 12))


def _layer(extra: str) -> str:
    return f'layer {{ name: "s" type: "SPP" bottom: "x" top: "y" spp_param {{ {extra} }} }}'


def _bins(x: np.ndarray, level: int) -> np.ndarray:
    """Cut pictures whose sizes are multiples of the bins: (N, C, bins, bins, elements)."""
    n, c, h, w = x.shape
    bins = 2**level
    cut = x.reshape(n, c, bins, h // bins, bins, w // bins).transpose(0, 1, 2, 4, 3, 5)
    return cut.reshape(n, c, bins, bins, -1)


@pytest.mark.parametrize(("pool", "reduce"), [
    ("", lambda bins: bins.max(-1)), ("pool: MAX", lambda bins: bins.max(-1)),
    ("pool: AVE engine: CUDNN", lambda bins: bins.mean(-1)),
    ("pool: STOCHASTIC", lambda bins: (bins**2).sum(-1) / bins.sum(-1))])
def test_levels_are_joined(pool, reduce, any_backend64):
    case = make_layer(_layer(f"pyramid_height: 3 {pool}"), [_X], backend=any_backend64)
    case.forward()
    want = [reduce(_bins(_X, level)).reshape(2, -1) for level in range(3)]
    assert case.top[0].shape == (2, 3 * (1 + 4 + 16))
    np.testing.assert_allclose(case.top[0].host_data, np.concatenate(want, axis=1))


def _loses_a_level(top, bottom):
    bottom[0].diff[...] -= top[0].diff.reshape(2, -1)[:, :3, None, None] / bottom[0].diff[0, 0].size


@pytest.mark.parametrize("phase", [TRAIN, TEST])
@pytest.mark.parametrize("pool", ["MAX", "AVE", "STOCHASTIC"])
@pytest.mark.parametrize("height", [1, 3])
def test_gradient(height, pool, phase, any_backend64):
    check_broken_is_caught(_layer(f"pyramid_height: {height} pool: {pool}"), [_X],
                           spoiled(_loses_a_level), phase=phase, backend=any_backend64)


@pytest.mark.parametrize("pool", ["MAX", "AVE"])
@pytest.mark.parametrize("size", [(7, 6), (7, 11), (3, 5)])
def test_sizes_that_do_not_divide_are_padded_as_in_pooling(size, pool):
    x = np.random.default_rng(1).normal(size=(2, 3, *size))
    levels = 2 if size == (3, 5) else 3
    case = make_layer(_layer(f"pyramid_height: {levels} pool: {pool}"), [x])
    case.forward()
    parts = []
    for level in range(levels):
        kernel = [-(-n // 2**level) for n in size]
        pad = [(k * 2**level - n + 1) // 2 for k, n in zip(kernel, size, strict=True)]
        sides = " ".join(f"kernel_{s}: {k} stride_{s}: {k} pad_{s}: {p}"
                         for s, k, p in zip("hw", kernel, pad, strict=True))
        pooled = make_layer('layer { name: "p" type: "Pooling" bottom: "x" top: "y" '
                            f'pooling_param {{ pool: {pool} {sides} }} }}', [x])
        pooled.forward()
        assert pooled.top[0].shape[2:] == (2**level, 2**level)
        parts.append(pooled.top[0].host_data.reshape(2, -1))
    np.testing.assert_array_equal(case.top[0].host_data, np.concatenate(parts, axis=1))
    check_broken_is_caught(_layer(f"pyramid_height: {levels} pool: {pool}"), [x],
                           spoiled(_loses_a_level))


def test_one_level_alone_keeps_four_axes():
    # CAFFE-QUIRK
    case = make_layer(_layer("pyramid_height: 1"), [_X])
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, _X.max(axis=(2, 3), keepdims=True))


def test_the_top_has_one_size_for_all_pictures():
    case = make_layer(_layer("pyramid_height: 2 pool: AVE"), [_X])
    for shape in ((1, 3, 9, 5), (4, 3, 2, 6)):
        case.bottom[0].reshape(*shape)
        case.bottom[0].host_data[...] = 1
        case.forward()
        case.backward([np.ones((shape[0], 15))])
        assert case.top[0].shape == (shape[0], 15)
        np.testing.assert_array_equal(case.top[0].host_data[:, :3], 1)


def test_random_picks_come_back_with_the_state():
    case, passes = make_layer(_layer("pyramid_height: 2 pool: STOCHASTIC"), [_X], phase=TRAIN), []
    for _ in range(2):
        case.forward()
        passes.append(case.top[0].host_data.copy())
    assert case.layer.state() == {"calls": 4} and (passes[0] != passes[1]).any()
    case.layer.restore({"calls": 0})
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, passes[0])
    assert make_layer(_layer("pyramid_height: 2"), [_X], phase=TRAIN).layer.state() == {}


@pytest.mark.parametrize(("extra", "shape", "message"), [
    ("", (2, 3, 8, 8), "pyramid_height must be positive"),
    ("pyramid_height: 2", (2, 3, 8), "pictures of four axes"),
    ("pyramid_height: 1", (2, 3, 0, 4), "pictures of four axes"),
    ("pyramid_height: 3", (2, 3, 5, 8), "too small for 4 x 4 bins at level 2"),
    ("pyramid_height: 4000000000", (2, 3, 8, 8), "too small for 16 x 16 bins at level 4"),
    ("pyramid_height: 2 pool: STOCHASTIC", (2, 3, 7, 8), "no padding, which level 1 needs"),
])
def test_refuses(extra, shape, message):
    with pytest.raises((PrototxtError, ShapeError),
                       match=f"test.prototxt:1:.*layer 's'.*{message}"):
        make_layer(_layer(extra), [np.zeros(shape)])


def test_strict_mode_wants_a_gpu_for_random_picks():
    # CAFFE-QUIRK
    with pytest.raises(PrototxtError, match="strictly for GPUs"):
        make_layer(_layer("pyramid_height: 1 pool: STOCHASTIC"), [_X],
                   settings=Settings(strict=True))
