"""Embed: the recorded case, gradients, padding, and what is refused."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import LabelError, NetError, PrototxtError
from caffe_lrcn.layer_types.base import Settings
from tests.harness.layers import break_op, check_gradients, make_layer, run_golden

FILLERS = "weight_filler { type: 'gaussian' } bias_filler { type: 'gaussian' }"


def embed(extra=""):
    return (f'layer {{ name: "words" type: "Embed" bottom: "x" top: "y" '
            f'embed_param {{ input_dim: 6 num_output: 3 {FILLERS} {extra} }} }}')


INDEX = np.array([[0, 5, -1], [5, 2, 5]])


def test_golden(any_backend):
    run_golden("embed", any_backend)


@pytest.mark.parametrize("extra", ["", "bias_term: false"])
def test_gradients(extra, any_backend64):
    check_gradients(embed(extra), [INDEX], wrt=[], backend=any_backend64)


def last_row_wins(true):
    def backward(index, dy, d_weight, d_bias, scratch):
        if d_weight is not None:
            d_weight[index.astype(int)] += dy  # repeated indices are written, not summed
    return backward


def padding_learns(true):
    return lambda index, *rest: true(np.abs(index), *rest)


@pytest.mark.parametrize("broken", [last_row_wins, padding_learns])
def test_gradient_check_catches(broken):
    with pytest.raises(AssertionError, match="gradient|empty"):
        check_gradients(embed(), [INDEX], wrt=[], mutate=break_op("embed", "backward", broken))


def test_quirk_mended_minus_one_gives_zeros():
    case = make_layer(embed(), [INDEX])
    case.forward()
    weight, bias = (blob.host_data for blob in case.layer.blobs)
    np.testing.assert_array_equal(case.top[0].host_data[0, 2], 0)
    np.testing.assert_array_equal(case.top[0].host_data[1, 1], weight[2] + bias)


def test_strict_refuses_minus_one():
    case = make_layer(embed(), [INDEX], settings=Settings(strict=True))
    with pytest.raises(LabelError, match="layer 'words'.*got -1"):
        case.forward()


@pytest.mark.parametrize("index", [6, -2])
def test_refuses_indices_outside_the_table(index):
    case = make_layer(embed(), [np.array([1, index])])
    with pytest.raises(LabelError, match=f"layer 'words': an index.*got {index}, wanted 0 to 5"):
        case.forward()


def test_refuses_a_gradient_for_the_indices():
    case = make_layer(embed(), [INDEX])
    assert not case.layer.allow_force_backward(0)
    case.forward()
    with pytest.raises(NetError, match="indices have no gradient"):
        case.backward([np.zeros((2, 3, 3))], [True])


@pytest.mark.parametrize("field", ["input_dim: 6", "num_output: 3"])
def test_refuses_an_empty_table(field):
    name = field.split(":")[0]
    with pytest.raises(PrototxtError, match=f"{name} is missing"):
        make_layer(embed().replace(field, ""), [INDEX])
