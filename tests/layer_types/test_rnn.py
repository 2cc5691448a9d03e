"""RNN: recorded cases, gradients, the unrolled net and carried state."""
from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError
from tests.harness.layers import break_op, check_gradients, make_layer, run_golden
from tests.layer_types.sequences import (
    D,
    K,
    N,
    S,
    T,
    carry_something,
    check_one_step_at_a_time,
    check_unrolled,
    recurrent,
    sequences,
)
from tests.layer_types.unrolled import unrolled_rnn

rnn = partial(recurrent, "RNN", tops=("o",))
STATIC = rnn(("x", "cont", "s"))


@pytest.fixture
def data():
    return sequences()


@pytest.mark.parametrize("name", ["rnn", "rnn_static"])
def test_golden(name, any_backend):
    run_golden(name, any_backend)


def test_gradients_with_fractional_cont_and_carried_state(data, any_backend64):
    check_gradients(STATIC, [data["x"], data["cont"], data["s"]], wrt=[0, 2],
                    prepare=carry_something, backend=any_backend64)


def no_way_back(true):
    return lambda x, cont, out: true(x, 0 * cont, out)


def not_squared(true):
    def rnn_backward(h, dh, d_pre):
        np.multiply(1 - np.abs(h), dh, out=d_pre)
    return rnn_backward


@pytest.mark.parametrize("mutate", [break_op("recurrent", "scale_rows", no_way_back),
                                    break_op("recurrent", "rnn_backward", not_squared)])
def test_gradient_check_catches(mutate, data):
    with pytest.raises(AssertionError, match="gradient|empty"):
        check_gradients(STATIC, [data["x"], data["cont"], data["s"]], wrt=[0, 2],
                        prepare=carry_something, mutate=mutate)


@pytest.mark.parametrize("with_static", [False, True])
def test_agrees_with_the_unrolled_net(with_static):
    check_unrolled("RNN", unrolled_rnn, ["W_h", "W_o", "b_o"], "o", with_static)


def test_all_steps_at_once_equal_one_at_a_time():
    check_one_step_at_a_time("RNN")


def test_gradients_survive_changes_of_the_top_in_place(data):
    gradients = []
    for disturb in (False, True):
        case = make_layer(rnn(), [data["x"], data["cont"]])
        case.forward()
        if disturb:
            case.top[0].host_data[...] = 7
        case.backward([data["dh"]], [True, False])
        gradients.append(case.bottom[0].host_diff.copy())
    np.testing.assert_array_equal(*gradients)


def test_exposed_state(data):
    bottoms = ("x", "cont", "s", "h_0")
    case = make_layer(rnn(bottoms, tops=("o", "h_T"), extra="expose_hidden: true"),
                      [data[name] for name in bottoms])
    plain = make_layer(STATIC, [data[name] for name in ("x", "cont", "s")])
    plain.layer.restore({"h": data["h_0"][0]})
    for each in (case, plain):
        each.forward()
    np.testing.assert_array_equal(case.top[0].host_data, plain.top[0].host_data)
    np.testing.assert_array_equal(case.top[1].host_data[0], plain.layer.state()["h"])


def test_refuses_too_many_bottoms():
    with pytest.raises(PrototxtError, match="bottoms without expose_hidden"):
        make_layer(rnn(("x", "cont", "s", "h")), [np.zeros((T, N, K)), np.zeros((T, N)),
                                                 np.zeros((N, S)), np.zeros((1, N, D))])
