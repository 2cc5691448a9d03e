"""LSTM: recorded cases, gradients, the unrolled net, carried state, and what is refused."""
from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from caffe_lrcn.errors import NetError, PrototxtError, ShapeError, SnapshotError
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
    without_static_weights,
)
from tests.layer_types.unrolled import unrolled_lstm

lstm = partial(recurrent, "LSTM")
STATIC = lstm(("x", "cont", "s"))
EXPOSED = lstm(("x", "cont", "h_0", "c_0"), ("h", "h_T", "c_T"), "expose_hidden: true")


@pytest.fixture
def data():
    return sequences()


@pytest.mark.parametrize("name", ["lstm", "lstm_static", "lstm_expose"])
def test_golden(name, any_backend):
    run_golden(name, any_backend)


def test_gradients_with_fractional_cont_and_carried_state(data, any_backend64):
    check_gradients(STATIC, [data["x"], data["cont"], data["s"]], wrt=[0, 2],
                    prepare=carry_something, backend=any_backend64)


def forget_without_cont(true):
    return lambda gates, cont, *rest: true(gates, np.ones_like(cont), *rest)


def no_way_back(true):
    def scale_rows(x, cont, out):
        true(x, 0 * cont, out)
    return scale_rows


@pytest.mark.parametrize("mutate", [
    break_op("recurrent", "lstm_backward", forget_without_cont),
    break_op("recurrent", "scale_rows", no_way_back),
    without_static_weights,
])
def test_gradient_check_catches(mutate, data):
    bottoms = [data["x"], data["cont"], data["s"]]
    with pytest.raises(AssertionError, match="gradient|empty"):
        check_gradients(STATIC, bottoms, wrt=[0, 2], prepare=carry_something, mutate=mutate)


@pytest.mark.parametrize("with_static", [False, True])
def test_agrees_with_the_unrolled_net(with_static):
    check_unrolled("LSTM", unrolled_lstm, ["W_h"], "h", with_static)


def test_all_steps_at_once_equal_one_at_a_time():
    check_one_step_at_a_time("LSTM")


def test_state_is_carried_until_reset(data):
    case = make_layer(lstm(), [data["x"], np.ones((T, N))])
    outputs = []
    for _ in range(2):
        case.forward()
        outputs.append(case.top[0].host_data.copy())
    assert not np.allclose(*outputs)
    case.layer.reset()
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, outputs[0])


def test_state_survives_changes_of_the_top_in_place(data):
    case, undisturbed = (make_layer(lstm(), [data["x"], data["cont"]]) for _ in range(2))
    for each in (case, undisturbed):
        each.forward()
    case.top[0].host_data[...] = 7  # as a layer behind it may do
    for each in (case, undisturbed):
        each.forward()
    np.testing.assert_array_equal(case.top[0].host_data, undisturbed.top[0].host_data)


def test_resume_from_state_is_exact(data):
    bottoms = [data["x"], np.ones((T, N))]
    case, resumed = make_layer(lstm(), bottoms), make_layer(lstm(), bottoms)
    case.forward()
    state = case.layer.state()
    case.forward()
    assert {name: value.shape for name, value in state.items()} == {"h": (N, D), "c": (N, D)}
    resumed.layer.restore(state)
    resumed.forward()
    np.testing.assert_array_equal(resumed.top[0].host_data, case.top[0].host_data)


def test_restore_refuses_another_size():
    case = make_layer(lstm(), [np.zeros((T, N, K)), np.zeros((T, N))])
    with pytest.raises(SnapshotError, match=r"\(N, 4\)"):
        case.layer.restore({"h": np.zeros((N, D + 1)), "c": np.zeros((N, D))})


def test_state_restarts_at_zero_when_n_changes(data):
    case = make_layer(lstm(), [data["x"], np.ones((T, N))])
    case.forward()
    first = case.top[0].host_data.copy()
    for n in (2, N):
        case.bottom[0].reshape(T, n, K)
        case.bottom[1].reshape(T, n)
        case.bottom[0].host_data[...] = data["x"][:, :n]
        case.bottom[1].host_data[...] = 1
        case.forward()
        np.testing.assert_allclose(case.top[0].host_data, first[:, :n], rtol=1e-12)


def test_exposed_states_replace_the_carried_ones(data):
    case = make_layer(EXPOSED, [data[name] for name in ("x", "cont", "h_0", "c_0")])
    plain = make_layer(lstm(), [data["x"], data["cont"]])
    plain.layer.restore({"h": data["h_0"][0], "c": data["c_0"][0]})
    for each in (case, plain, case):  # twice: nothing is carried
        each.forward()
    np.testing.assert_array_equal(case.top[0].host_data, plain.top[0].host_data)
    np.testing.assert_array_equal(case.top[1].host_data[0], plain.layer.state()["h"])
    np.testing.assert_array_equal(case.top[2].host_data[0], plain.layer.state()["c"])
    assert case.layer.state() == {}


def test_quirk_no_gradient_through_exposed_states(data):
    case = make_layer(EXPOSED, [data[name] for name in ("x", "cont", "h_0", "c_0")])
    case.forward()
    gradients = []
    for d_last in (0, 5):
        case.layer.blobs[2].host_diff[...] = 0
        case.backward([data["dh"], np.full((1, N, D), d_last), np.full((1, N, D), d_last)],
                      [True, False, True, True])
        gradients.append(case.layer.blobs[2].host_diff.copy())
        np.testing.assert_array_equal(case.bottom[2].host_diff, 0)
        np.testing.assert_array_equal(case.bottom[3].host_diff, 0)
    np.testing.assert_array_equal(*gradients)


def test_values_given_in_the_definition_win_over_fillers():
    blobs = "".join(f"blobs {{ shape {{ {shape} }} {'data: 0.5 ' * count} }} " for shape, count in (
        ("dim: 16 dim: 5", 80), ("dim: 16", 16), ("dim: 16 dim: 4", 64)))
    case = make_layer(lstm(layer=blobs), [np.zeros((T, N, K)), np.zeros((T, N))])
    for blob in case.layer.blobs:
        np.testing.assert_array_equal(blob.host_data, 0.5)
    with pytest.raises(PrototxtError, match="got 1, wanted 3"):
        make_layer(lstm(layer="blobs { data: 1 }"), [np.zeros((T, N, K)), np.zeros((T, N))])


@pytest.mark.parametrize("text, shapes, message", [
    (lstm(), [(T, N, K), (N, T)], "one of them is N x T instead of T x N"),
    (lstm(), [(T, N, K), (T, N + 1)], "disagree on time steps and streams"),
    (lstm(), [(T,), (T,)], "must begin with time steps and streams"),
    (STATIC, [(T, N, K), (T, N), (N + 1, S)], "static input does not fit"),
    (EXPOSED, [(T, N, K), (T, N), (1, N, D), (1, N, D + 1)], "initial state does not fit"),
    (lstm(extra="expose_hidden: true"), [(T, N, K), (T, N)], "bottoms with expose_hidden"),
    (lstm(("x", "cont", "s", "t")), [(T, N, K), (T, N), (N, S), (N, S)],
     "bottoms without expose_hidden"),
    (lstm(extra="num_output: 0").replace("num_output: 4 ", ""), [(T, N, K), (T, N)],
     "num_output must be positive"),
])
def test_refuses(text, shapes, message):
    with pytest.raises((PrototxtError, ShapeError), match=message) as caught:
        make_layer(text, [np.zeros(shape) for shape in shapes])
    assert "layer 'lstm'" in str(caught.value) and "test.prototxt:1" in str(caught.value)


def test_refuses_no_steps_after_setup():
    case = make_layer(lstm(), [np.zeros((T, N, K)), np.zeros((T, N))])
    case.bottom[0].reshape(0, N, K)
    case.bottom[1].reshape(0, N)
    with pytest.raises(ShapeError, match=r"must begin with time steps.*got \(0, 3, 5\)"):
        case.layer.reshape(case.bottom, case.top)


def test_cont_has_no_gradient():
    case = make_layer(lstm(), [np.zeros((T, N, K)), np.zeros((T, N))])
    assert [case.layer.allow_force_backward(i) for i in range(2)] == [True, False]
    case.forward()
    with pytest.raises(NetError, match="cont has no gradient"):
        case.backward([np.zeros((T, N, D))], [True, True])
