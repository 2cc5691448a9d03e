"""GRU: its formula step by step, gradients, carried state, and what is refused."""
from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from caffe_lrcn.errors import NetError, PrototxtError, ShapeError
from tests.harness.layers import check_broken_is_caught, check_gradients, make_layer
from tests.layer_types.sequences import (
    D,
    K,
    N,
    S,
    T,
    carry_something,
    recurrent,
    sequences,
    without_static_weights,
)

gru = partial(recurrent, "GRU")
STATIC = gru(("x", "cont", "s"))
EXPOSED = gru(("x", "cont", "h_0"), ("h", "h_T"), "expose_hidden: true")


@pytest.fixture
def data():
    return sequences()


def step_by_step(params, x, cont, h, static=None):
    """Return all hidden states by the formula, gate by gate (PyTorch's GRU, but for cont)."""
    def third(index, k):
        return params[index][k * D:(k + 1) * D]

    def sigmoid(value):
        return 1 / (1 + np.exp(-value))

    hidden, last = [], len(params) - 1
    for x_t, cont_t in zip(x, cont, strict=True):
        h = h * cont_t[:, None]
        given = [x_t @ third(0, k).T + third(1, k) for k in range(3)]
        if static is not None:
            given = [part + static @ third(2, k).T for k, part in enumerate(given)]
        own = [h @ third(last - 1, k).T + third(last, k) for k in range(3)]
        r, z = sigmoid(given[0] + own[0]), sigmoid(given[1] + own[1])
        n = np.tanh(given[2] + r * own[2])
        h = (1 - z) * n + z * h
        hidden.append(h)
    return np.array(hidden)


@pytest.mark.parametrize("bottoms", [["x", "cont"], ["x", "cont", "s"]])
def test_values(bottoms, data, any_backend64):
    case = make_layer(gru(bottoms), [data[name] for name in bottoms], backend=any_backend64)
    case.layer.restore({"h": data["h_0"][0]})
    case.forward()
    shapes = [(3 * D, K), (3 * D,), (3 * D, S), (3 * D, D), (3 * D,)]
    assert [blob.shape for blob in case.layer.blobs] == (
        shapes if "s" in bottoms else shapes[:2] + shapes[3:])
    want = step_by_step([blob.host_data for blob in case.layer.blobs], data["x"], data["cont"],
                        data["h_0"][0], data["s"] if "s" in bottoms else None)
    np.testing.assert_allclose(case.top[0].host_data, want, rtol=1e-12)
    np.testing.assert_array_equal(case.layer.state()["h"], case.top[0].host_data[-1])


def test_large_inputs_do_not_overflow(data, any_backend):
    case = make_layer(gru(), [1e6 * data["x"], data["cont"]], backend=any_backend)
    case.forward()
    case.backward([data["dh"]])
    assert np.isfinite(case.top[0].host_data).all() and np.isfinite(case.bottom[0].host_diff).all()


def no_way_back(layer):
    layer.step_carry = lambda t, dh, carry: carry.fill(0)


def without_second_bias(layer):
    true = layer.accumulate_bias
    layer.accumulate_bias = lambda index, rows: None if index == 4 else true(index, rows)


def without_the_way_past_the_gates(layer):
    layer.step_carry = lambda t, dh, carry: None


def reset_before_the_product(layer):
    true = layer.step_backward

    def broken(t, cont, dh, d_pre):
        true(t, cont, dh, d_pre)
        layer.product.diff[t][...] = d_pre
    layer.step_backward = broken


@pytest.mark.parametrize("mutate", [
    no_way_back, without_static_weights, without_second_bias, without_the_way_past_the_gates,
    reset_before_the_product])
def test_gradients_with_fractional_cont_and_carried_state(mutate, data):
    check_broken_is_caught(STATIC, [data["x"], data["cont"], data["s"]], mutate, wrt=[0, 2],
                           prepare=carry_something)


@pytest.mark.parametrize("bottoms", [["x", "cont"], ["x", "cont", "s"]])
def test_gradients_on_each_backend(bottoms, data, any_backend64):
    check_gradients(gru(bottoms), [data[name] for name in bottoms], backend=any_backend64,
                    wrt=[0, 2] if "s" in bottoms else [0], prepare=carry_something)


def test_state_is_carried_until_reset_and_saved(data):
    bottoms = [data["x"], np.ones((T, N))]
    case, resumed, outputs = make_layer(gru(), bottoms), make_layer(gru(), bottoms), []
    for _ in range(2):
        state = case.layer.state()
        case.forward()
        outputs.append(case.top[0].host_data.copy())
    assert not np.allclose(*outputs)
    resumed.layer.restore(state)
    resumed.forward()
    np.testing.assert_array_equal(resumed.top[0].host_data, outputs[1])
    case.layer.reset()
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, outputs[0])


def test_state_survives_changes_of_the_top_in_place(data):
    case, undisturbed = (make_layer(gru(), [data["x"], data["cont"]]) for _ in range(2))
    for each in (case, undisturbed):
        each.forward()
    case.top[0].host_data[...] = 7  # as a layer behind it may do
    for each in (case, undisturbed):
        each.backward([data["dh"]])
        each.forward()
    np.testing.assert_array_equal(case.top[0].host_data, undisturbed.top[0].host_data)
    np.testing.assert_array_equal(case.bottom[0].host_diff, undisturbed.bottom[0].host_diff)


def test_exposed_state_replaces_the_carried_one(data):
    case = make_layer(EXPOSED, [data[name] for name in ("x", "cont", "h_0")])
    plain = make_layer(gru(), [data["x"], data["cont"]])
    plain.layer.restore({"h": data["h_0"][0]})
    for each in (case, plain, case):  # twice: nothing is carried
        each.forward()
    np.testing.assert_array_equal(case.top[0].host_data, plain.top[0].host_data)
    np.testing.assert_array_equal(case.top[1].host_data[0], plain.layer.state()["h"])
    assert case.layer.state() == {}


def test_no_gradient_through_exposed_states(data):
    # CAFFE-QUIRK: as in Caffe's recurrent layers.
    case = make_layer(EXPOSED, [data[name] for name in ("x", "cont", "h_0")])
    plain = make_layer(gru(), [data["x"], data["cont"]])
    plain.layer.restore({"h": data["h_0"][0]})
    for each in (case, plain):
        each.forward()
        each.backward([data["dh"], np.full((1, N, D), 5.0)][:len(each.top)],
                      [True, False, True][:len(each.bottom)])
    np.testing.assert_array_equal(case.bottom[2].host_diff, 0)
    np.testing.assert_array_equal(case.bottom[0].host_diff, plain.bottom[0].host_diff)
    for exposed, carried in zip(case.layer.blobs, plain.layer.blobs, strict=True):
        np.testing.assert_array_equal(exposed.host_diff, carried.host_diff)


@pytest.mark.parametrize("text, shapes, message", [
    (gru(), [(T, N, K), (N, T)], "one of them is N x T instead of T x N"),
    (STATIC, [(T, N, K), (T, N), (N + 1, S)], "static input does not fit"),
    (EXPOSED, [(T, N, K), (T, N), (1, N, D + 1)], "initial state does not fit"),
    (gru(extra="expose_hidden: true"), [(T, N, K), (T, N)], "bottoms with expose_hidden"),
    (gru().replace("num_output: 4", ""), [(T, N, K), (T, N)], "num_output is missing"),
    (gru().replace("recurrent_param", "blobs { data: 1 } recurrent_param"), [(T, N, K), (T, N)],
     "got 1, wanted 4"),
])
def test_refuses(text, shapes, message):
    with pytest.raises((PrototxtError, ShapeError), match=message) as caught:
        make_layer(text, [np.zeros(shape) for shape in shapes])
    assert "layer 'gru'" in str(caught.value) and "test.prototxt:1" in str(caught.value)


def test_cont_has_no_gradient():
    case = make_layer(gru(), [np.zeros((T, N, K)), np.zeros((T, N))])
    assert case.default_propagate_down() == [True, False]
    case.forward()
    with pytest.raises(NetError, match="cont has no gradient"):
        case.backward([np.zeros((T, N, D))], [True, True])
