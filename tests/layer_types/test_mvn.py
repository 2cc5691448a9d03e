from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import ShapeError
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net
from tests.harness.layers import check_broken_is_caught, during_backward, make_layer

_X = np.random.default_rng(0).normal(2, 3, size=(3, 4, 2, 5))


def _layer(param: str = "", top: str = "y") -> str:
    return f'layer {{ name: "m" type: "MVN" bottom: "x" top: "{top}" mvn_param {{ {param} }} }}'


@pytest.mark.parametrize("top", ["x", "y"])
@pytest.mark.parametrize(("param", "axes"), [("", (2, 3)), ("across_channels: true", (1, 2, 3))])
def test_values(param, axes, top, any_backend):
    centred = _X - _X.mean(axes, keepdims=True)
    case = make_layer(_layer(param, top), [_X], backend=any_backend)
    case.forward()
    np.testing.assert_allclose(case.top[0].host_data, centred / _X.std(axes, keepdims=True),
                               rtol=1e-4, atol=1e-5)
    case = make_layer(_layer(param + " normalize_variance: false", top), [_X], backend=any_backend)
    case.forward()
    np.testing.assert_allclose(case.top[0].host_data, centred, rtol=1e-4, atol=1e-5)


_NO_MEAN = during_backward("_mean", lambda mean: lambda x: np.zeros((len(x), 1)))
_NO_PRODUCT = during_backward("_normalised", lambda y: SimpleNamespace(data=0 * y.data))


@pytest.mark.parametrize("top", ["x", "y"])
@pytest.mark.parametrize("across", ["true", "false"])
def test_gradient(across, top):
    text = _layer(f"across_channels: {across}", top)
    for mutate in (_NO_MEAN, _NO_PRODUCT):
        check_broken_is_caught(text, [_X], mutate)
    check_broken_is_caught(_layer(f"across_channels: {across} normalize_variance: false", top),
                           [_X], _NO_MEAN)


def test_eps_is_added_to_the_standard_deviation():
    # CAFFE-QUIRK
    x = np.array([1.0, 3.0]).reshape(1, 1, 1, 2)
    case = make_layer(_layer("eps: 3"), [x])
    case.forward()
    np.testing.assert_allclose(case.top[0].host_data.ravel(), [-1 / 4, 1 / 4])
    # CAFFE-QUIRK: (dy - mean(dy) - y * mean(dy * y)) / (std + eps), which is exact for eps 0 only.
    case.backward([np.array([1.0, 0.0]).reshape(x.shape)])
    product = np.array([-1, 1]) / 4 * -1 / 8
    np.testing.assert_allclose(case.bottom[0].host_diff.ravel(),
                               ([0.5, -0.5] - product) / 4)


def test_constant_channels_become_zero(backend):
    case = make_layer(_layer(), [np.full((2, 3, 2, 2), 7.0)], backend=backend)
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, 0)


@pytest.mark.parametrize(("shape", "want"), [((3, 4), (3, 4, 1, 1)), ((3, 4, 2), (3, 4, 2, 1))])
@pytest.mark.parametrize("top", ["x", "y"])
def test_the_top_has_four_axes(shape, want, top):
    # CAFFE-QUIRK
    case = make_layer(_layer("across_channels: true", top), [np.ones(shape)])
    case.forward()
    case.backward([np.ones(want)])
    assert case.top[0].shape == want


def test_five_axes_are_refused():
    with pytest.raises(ShapeError, match=r"test.prototxt:1:\d+: layer 'm': MVN takes up to four"):
        make_layer(_layer(), [np.zeros((1, 1, 1, 1, 1))])


def test_in_place_the_layer_below_gets_its_gradient_in_its_own_shape():
    net = Net(parse_net('''
        force_backward: true
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 2 dim: 4 } } }
        layer { name: "s" type: "Slice" bottom: "x" top: "a" top: "b" }
        layer { name: "m" type: "MVN" bottom: "a" top: "a" }
        layer { name: "r" type: "Reduction" bottom: "a" top: "r" loss_weight: 1
                reduction_param { operation: SUMSQ } }''', "n.prototxt"),
              get_backend("cpu", np.float64), phase=0)
    net.blobs["x"].host_data[...] = np.arange(16.0).reshape(2, 2, 4) ** 2
    for _ in range(2):
        net.forward()
        assert net.blobs["a"].shape == (2, 1, 4, 1)
        net.backward()
    assert net.blobs["x"].host_diff.shape == (2, 2, 4)
