"""The carried state read, set and cleared; T and N changed by reshaping the inputs."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import ShapeError, UsageError
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net

T, N, K, D = 5, 2, 3, 4
KINDS = {"LSTM": ("h", "c"), "GRU": ("h",), "RNN": ("h",)}
FILLERS = "weight_filler { type: 'uniform' min: -1 max: 1 }"
kinds = pytest.mark.parametrize("kind", KINDS)


def text(kind: str, between: str = "") -> str:
    """Return two recurrent layers, one upon the other, and what makes ``x`` of the input."""
    return f"""
layer {{ name: "in" type: "Input" top: "data" top: "cont" input_param {{
  shape {{ dim: {T} dim: {N} dim: {K} }} shape {{ dim: {T} dim: {N} }} }} }}
{between or 'layer { name: "same" type: "Power" bottom: "data" top: "x" }'}
layer {{ name: "low" type: "{kind}" bottom: "x" bottom: "cont" top: "low"
  recurrent_param {{ num_output: {D} {FILLERS} }} }}
layer {{ name: "high" type: "{kind}" bottom: "low" bottom: "cont" top: "high"
  recurrent_param {{ num_output: {D} {FILLERS} }} }}
"""


def make(kind, backend, between=""):
    return Net(parse_net("force_backward: true " + text(kind, between)), backend, phase=1)


def feed(net, data, cont):
    """Reshape the inputs, run, and return the highest layer's output."""
    for name, values in (("data", data), ("cont", cont)):
        net.blobs[name].reshape(*values.shape)
        net.blobs[name].host_data[...] = values
    net.forward()
    return net.blobs["high"].read_data().copy()


def sequence(steps=T, streams=N):
    rng = np.random.default_rng(7)
    cont = np.ones((steps, streams))
    cont[steps // 2, 0] = 0
    return rng.normal(size=(steps, streams, K)), cont


@kinds
def test_step_by_step_equals_all_steps_at_once(kind, any_backend64):
    net, (data, cont) = make(kind, any_backend64), sequence()
    whole = feed(net, data, cont)
    final = net.recurrent_state()
    net.clear_recurrent_state()
    steps = [feed(net, data[t:t + 1], cont[t:t + 1]) for t in range(T)]
    np.testing.assert_allclose(np.concatenate(steps), whole, rtol=1e-10)
    assert {key: tuple(state) for key, state in final.items()} == dict.fromkeys(
        ("low", "high"), KINDS[kind])
    for key, state in net.recurrent_state().items():
        for name, values in state.items():
            assert values.shape == (N, D)
            np.testing.assert_allclose(values, final[key][name], rtol=1e-10)
    net.set_recurrent_state(final)
    more = feed(net, data, cont)
    net.set_recurrent_state(final)
    assert np.array_equal(feed(net, data, cont), more) and not np.array_equal(more, whole)


@kinds
@pytest.mark.parametrize("steps, streams", [(1, 3), (3, 1), (8, 2)])
def test_gradients_are_those_of_a_net_of_this_size(kind, steps, streams, backend):
    changed, fresh = make(kind, backend), make(kind, backend)
    data, cont = sequence(steps, streams)
    feed(changed, *sequence())
    changed.clear_recurrent_state()
    for net in (changed, fresh):
        feed(net, data, cont)
        net.blobs["high"].host_diff[...] = data.sum(axis=2, keepdims=True)
        net.backward()
    np.testing.assert_array_equal(*(net.blobs["data"].read_diff() for net in (changed, fresh)))
    for one, other in zip(changed.learnable_params, fresh.learnable_params, strict=True):
        np.testing.assert_array_equal(one.read_diff(), other.read_diff())


@kinds
def test_another_n_starts_from_zero_and_says_so_once(kind, backend, caplog):
    net = make(kind, backend)
    for streams in (2, 3, 4):
        got = feed(net, *sequence(streams=streams))
        np.testing.assert_array_equal(got, feed(make(kind, backend), *sequence(streams=streams)))
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == [f"layer '{layer}': N, the number of streams, changed from 2 to 3, so the "
                        "carried state starts from zero (said once)" for layer in ("low", "high")]


def test_nothing_is_said_where_nothing_is_lost(backend, caplog):
    net = make("LSTM", backend)
    feed(net, *sequence())
    net.clear_recurrent_state()
    feed(net, *sequence(streams=4))
    assert "streams" not in "".join(r.getMessage() for r in caplog.records
                                    if r.levelname == "WARNING")


def test_a_state_is_set_for_the_inputs_as_they_are_now(backend):
    net = make("RNN", backend)
    net.blobs["data"].reshape(1, 7, K)
    net.blobs["cont"].reshape(1, 7)
    state = np.arange(7 * D).reshape(7, D) / 30
    net.set_recurrent_state({"low": {"h": state}})
    np.testing.assert_allclose(net.recurrent_state()["low"]["h"], state, rtol=1e-6)
    assert not net.recurrent_state()["high"]["h"].any()


@pytest.mark.parametrize("state, kind, words", [
    ({"mid": {}}, UsageError, "no such recurrent layer.*got mid, wanted low, high"),
    ({"in": {}}, UsageError, "no such recurrent layer.*got in, wanted low, high"),
    ({"low": {"h": np.zeros((N, D))}}, UsageError, "layer 'low'.*got h, wanted h, c"),
    ({"low": {"h": np.zeros((N, D)), "c": np.zeros((N + 1, D))}}, ShapeError,
     r"layer 'low': the state 'c' does not fit.*got \(3, 4\), wanted \(2, 4\).*reshape the input"),
])
def test_a_state_that_does_not_fit_is_refused(state, kind, words, backend):
    net = make("LSTM", backend)
    feed(net, *sequence())
    before = net.recurrent_state()
    with pytest.raises(kind, match=words):
        net.set_recurrent_state(state)
    for name, values in net.recurrent_state()["low"].items():
        np.testing.assert_array_equal(values, before["low"][name])


def test_exposed_states_are_blobs(backend):
    net = Net(parse_net(f"""
layer {{ name: "in" type: "Input" top: "x" top: "cont" top: "h" input_param {{
  shape {{ dim: {T} dim: {N} dim: {K} }} shape {{ dim: {T} dim: {N} }}
  shape {{ dim: 1 dim: {N} dim: {D} }} }} }}
layer {{ name: "rnn" type: "RNN" bottom: "x" bottom: "cont" bottom: "h" top: "out" top: "last"
  recurrent_param {{ num_output: {D} expose_hidden: true }} }}"""), backend, phase=1)
    assert net.recurrent_state() == {}
    with pytest.raises(UsageError, match="layer 'rnn': the states are not carried"):
        net.set_recurrent_state({"rnn": {"h": np.zeros((N, D))}})


@pytest.mark.parametrize("dims, steps, words", [
    (f"dim: {T} dim: {N} dim: {K}", 1, "layer 'fixed': reshaping changes the number of elements"),
    (f"dim: {T} dim: {N} dim: -1", 1, "layer 'fixed': the -1 in shape cannot be inferred"),
    (f"dim: {T} dim: -1 dim: {K}", 2 * T, "layer 'low': cont and the input disagree.*must not fix"),
    (f"dim: {T} dim: {N} dim: -1", 2 * T, "layer 'low': cont and the input disagree.*must not fix"),
])
def test_fixed_sizes_between_are_errors(dims, steps, words, backend):
    net = make("LSTM", backend, 'layer { name: "fixed" type: "Reshape" bottom: "data" top: "x" '
                                f'reshape_param {{ shape {{ {dims} }} }} }}')
    feed(net, *sequence())
    with pytest.raises(ShapeError, match=words) as caught:
        feed(net, *sequence(steps=steps))
    if "layer 'low'" in words:
        sizes = dims.replace("dim: ", "").replace(" ", " x ")
        assert f"Layer 'fixed' (<string>:4:1) writes {sizes}" in str(caught.value)


def test_one_step_through_a_fixed_size_is_not_called_a_transposition(backend):
    fixed = '''layer { name: "fixed" type: "Reshape" bottom: "data" top: "x"
  reshape_param { shape { dim: -1 dim: 1 dim: 3 } } }'''
    net = Net(parse_net(text("LSTM", fixed).replace(f"dim: {N}", "dim: 1")), backend, phase=1)
    feed(net, *sequence(streams=1))
    with pytest.raises(ShapeError, match="cont and the input disagree on") as caught:
        feed(net, *sequence(steps=1, streams=4))
    assert "ranspose" not in str(caught.value) and "Layer 'fixed'" in str(caught.value)
