"""RNN: recorded cases, gradients, the unrolled net and carried state."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import PrototxtError
from tests.harness.layers import break_op, check_gradients, make_layer, run_golden
from tests.layer_types.unrolled import run_unrolled, unrolled_rnn

T, N, K, S, D = 4, 3, 5, 2, 4
FILLERS = ("weight_filler { type: 'uniform' min: -0.7 max: 0.7 } "
           "bias_filler { type: 'uniform' min: -0.7 max: 0.7 }")


def rnn(bottoms=("x", "cont"), tops=("o",), extra=""):
    ends = "".join(f'bottom: "{name}" ' for name in bottoms)
    ends += "".join(f'top: "{name}" ' for name in tops)
    return (f'layer {{ name: "rnn" type: "RNN" {ends} '
            f'recurrent_param {{ num_output: {D} {FILLERS} {extra} }} }}')


STATIC = rnn(("x", "cont", "s"))


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    cont = rng.choice([0, 0.4, 1], size=(T, N))
    cont[0] = [0.6, 1, 0]
    return {"x": rng.normal(size=(T, N, K)), "cont": cont, "s": rng.normal(size=(N, S)),
            "h_0": rng.normal(size=(1, N, D)), "do": rng.normal(size=(T, N, D))}


def carry_something(case):
    case.layer.restore({"h": np.random.default_rng(8).normal(size=(N, D))})


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
def test_agrees_with_the_unrolled_net(with_static, data):
    static = data["s"] if with_static else None
    bottoms = ["x", "cont"] + ["s"] * with_static
    case = make_layer(rnn(bottoms), [data[name] for name in bottoms])
    case.layer.restore({"h": data["h_0"][0]})
    case.forward()
    case.backward([data["do"]], [name != "cont" for name in bottoms])
    names = ["W_x", "b"] + ["W_s"] * with_static + ["W_h", "W_o", "b_o"]
    params = {name: blob.host_data for name, blob in zip(names, case.layer.blobs, strict=True)}

    o, gradients = run_unrolled(unrolled_rnn(data["x"], static, D),
                                {name: data[name] for name in [*bottoms, "h_0"]}, params, "o",
                                data["do"])
    close = {"rtol": 0, "atol": 1e-10}
    np.testing.assert_allclose(case.top[0].host_data, o, **close)
    for name, blob in zip(names + bottoms, case.layer.blobs + case.bottom, strict=True):
        if name != "cont":
            np.testing.assert_allclose(blob.host_diff, gradients[name], **close, err_msg=name)


def test_all_steps_at_once_equal_one_at_a_time(data):
    whole = make_layer(STATIC, [data["x"], data["cont"], data["s"]])
    whole.forward()
    single = make_layer(STATIC, [data["x"][:1], data["cont"][:1], data["s"]])
    for t in range(T):
        single.bottom[0].host_data[...] = data["x"][t]
        single.bottom[1].host_data[...] = data["cont"][t]
        single.forward()
        np.testing.assert_allclose(single.top[0].host_data[0], whole.top[0].host_data[t],
                                   rtol=1e-12)


def test_gradients_survive_changes_of_the_top_in_place(data):
    gradients = []
    for disturb in (False, True):
        case = make_layer(rnn(), [data["x"], data["cont"]])
        case.forward()
        if disturb:
            case.top[0].host_data[...] = 7
        case.backward([data["do"]], [True, False])
        gradients.append(case.bottom[0].host_diff.copy())
    np.testing.assert_array_equal(*gradients)


def test_exposed_state(data):
    case = make_layer(rnn(("x", "cont", "s", "h_0"), ("o", "h_T"), "expose_hidden: true"),
                      [data[name] for name in ("x", "cont", "s", "h_0")])
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
