"""InnerProduct: recorded cases, gradients, transposed weights, and what is refused."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError, ShapeError
from tests.harness.layers import break_op, check_gradients, make_layer, run_golden

FILLERS = "weight_filler { type: 'gaussian' } bias_filler { type: 'gaussian' }"


def inner_product(extra=""):
    return (f'layer {{ name: "ip" type: "InnerProduct" bottom: "x" top: "y" '
            f'inner_product_param {{ num_output: 5 {FILLERS} {extra} }} }}')


@pytest.fixture
def x():
    return np.random.default_rng(1).normal(size=(3, 2, 4))


@pytest.mark.parametrize("name", ["ip", "ip_axis2"])
def test_golden(name, any_backend):
    run_golden(name, any_backend)


@pytest.mark.parametrize("extra", ["", "axis: 2", "axis: 0", "axis: -1 transpose: true",
                                   "bias_term: false", "transpose: true"])
def test_gradients(extra, x, any_backend64):
    check_gradients(inner_product(extra), [x], backend=any_backend64)


def overwriting(true):
    def gemm(a, b, out, scratch, trans_a=False, trans_b=False, accumulate=False):
        true(a, b, out, scratch, trans_a, trans_b, accumulate=False)
    return gemm


@pytest.mark.parametrize("mutate", [
    break_op("blas", "gemm", overwriting),
    break_op("elementwise", "sum_to_channels", lambda true: lambda *args: None),
])
def test_gradient_check_catches(mutate, x):
    with pytest.raises(AssertionError, match="gradient|empty"):
        check_gradients(inner_product(), [x], mutate=mutate)


def test_transpose_keeps_the_weights_the_other_way_round(x):
    plain, transposed = (make_layer(inner_product(extra), [x]) for extra in ("", "transpose: true"))
    assert transposed.layer.blobs[0].shape == (8, 5)
    for i in range(2):
        transposed.layer.blobs[i].host_data[...] = plain.layer.blobs[i].host_data.T
    for case in (plain, transposed):
        case.forward()
    np.testing.assert_allclose(transposed.top[0].host_data, plain.top[0].host_data, rtol=1e-12)


def test_input_size_is_fixed_at_setup(x):
    case = make_layer(inner_product(), [x])
    case.bottom[0].reshape(7, 2, 4)
    case.forward()
    assert case.top[0].shape == (7, 5)
    case.bottom[0].reshape(3, 2, 5)
    with pytest.raises(ShapeError, match=r"layer 'ip'.*wanted 8 elements from axis 1 on"):
        case.forward()


def test_refuses_a_missing_axis_and_no_outputs(x):
    with pytest.raises(ShapeError, match="axis 3 is out of range"):
        make_layer(inner_product("axis: 3"), [x])
    with pytest.raises(PrototxtError, match="num_output must be positive"):
        make_layer(inner_product().replace("num_output: 5", "num_output: 0"), [x])
