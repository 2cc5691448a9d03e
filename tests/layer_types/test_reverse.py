from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import LabelError, NetError, ShapeError
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net
from tests.harness.layers import check_broken_is_caught, make_layer
from tests.layer_types.spoiled import spoiled

_X = np.random.default_rng(0).normal(size=(6, 4, 2, 3))
_CONT = np.array([[0, 0, 0, 0],
                  [1, 1, 0, 1],
                  [1, 1, 0, 0.5],
                  [0, 1, 0, 0],
                  [1, 1, 0, -1],
                  [1, 1, 0, 0]])
_TEXT = 'layer { name: "r" type: "Reverse" bottom: "x" bottom: "cont" top: "y" }'


def _reversed(x: np.ndarray, cont: np.ndarray) -> np.ndarray:
    """Turn the sequences round one by one."""
    y = x.copy()
    for n in range(cont.shape[1]):
        begins = [t for t in range(len(cont)) if t == 0 or cont[t, n] == 0] + [len(cont)]
        for start, end in zip(begins, begins[1:], strict=False):
            y[start:end, n] = x[start:end, n][::-1]
    return y


def test_each_sequence_is_turned_within_its_limits(any_backend64):
    case = make_layer(_TEXT, [_X, _CONT], backend=any_backend64)
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, _reversed(_X, _CONT))
    np.testing.assert_array_equal(case.top[0].host_data[:, 1], _X[::-1, 1])  # one sequence
    np.testing.assert_array_equal(case.top[0].host_data[:, 2], _X[:, 2])  # six of one step


def _turned_across_sequences(top, bottom):
    bottom[0].diff[...] = top[0].diff[::-1]


def test_gradient(any_backend64):
    check_broken_is_caught(_TEXT, [_X, _CONT], spoiled(_turned_across_sequences),
                           backend=any_backend64)


def test_twice_is_as_before():
    once = make_layer(_TEXT, [_X[..., 0, 0], _CONT])
    once.forward()
    twice = make_layer(_TEXT, [once.top[0].host_data, _CONT])
    twice.forward()
    np.testing.assert_array_equal(twice.top[0].host_data, _X[..., 0, 0])


def test_limits_follow_every_batch():
    case = make_layer(_TEXT, [_X, _CONT])
    case.forward()
    case.bottom[0].reshape(3, 2)
    case.bottom[1].reshape(3, 2)
    case.bottom[0].host_data[...] = [[1, 2], [3, 4], [5, 6]]
    case.bottom[1].host_data[...] = [[0, 0], [0, 1], [1, 1]]
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, [[1, 6], [5, 4], [3, 2]])


def test_a_sequence_from_an_earlier_batch_is_refused(any_backend):
    cont = _CONT.copy()
    cont[0, 2] = 1
    case = make_layer(_TEXT, [_X, cont], backend=any_backend)
    with pytest.raises(LabelError, match="test.prototxt:1:.*layer 'r'.*stream 2 began in an "
                                         "earlier batch.*wanted 0 in all streams.*whole seq"):
        case.forward()


@pytest.mark.parametrize(("x", "cont", "message"), [
    ((6,), (6,), "must begin with time steps and streams"),
    ((6, 4, 2), (4, 6), "N x T instead of T x N"),
    ((6, 4, 2), (6, 3), "disagree on time steps and streams"),
])
def test_other_shapes_are_refused(x, cont, message):
    with pytest.raises(ShapeError, match=f"test.prototxt:1:.*layer 'r'.*{message}"):
        make_layer(_TEXT, [np.zeros(x), np.zeros(cont)])


def test_cont_has_no_gradient():
    case = make_layer(_TEXT, [_X, _CONT])
    assert case.default_propagate_down() == [True, False]
    case.forward()
    with pytest.raises(NetError, match="cont has no gradient"):
        case.backward(propagate_down=[True, True])


_BIDIRECTIONAL = """force_backward: true
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 6 dim: 4 dim: 3 } } }
layer { name: "cont" type: "Input" top: "cont" input_param { shape { dim: 6 dim: 4 } } }
layer { name: "turn" type: "Reverse" bottom: "x" bottom: "cont" top: "x_back" }
layer { name: "past" type: "GRU" bottom: "x" bottom: "cont" top: "past"
        recurrent_param { num_output: 2 weight_filler { type: "gaussian" } } }
layer { name: "back" type: "GRU" bottom: "x_back" bottom: "cont" top: "back"
        recurrent_param { num_output: 2 weight_filler { type: "gaussian" } } }
layer { name: "turn_again" type: "Reverse" bottom: "back" bottom: "cont" top: "future" }
layer { name: "both" type: "Concat" bottom: "past" bottom: "future" top: "y"
        concat_param { axis: 2 } }"""


def test_a_bidirectional_net_sees_each_sequence_and_nothing_else():
    net = Net(parse_net(_BIDIRECTIONAL, "both.prototxt"), get_backend("cpu", np.float64), phase=1,
              seed=1)
    cont = (_CONT != 0).astype(float)
    net.blobs["x"].host_data[...] = _X[:, :, 0]
    net.blobs["cont"].host_data[...] = cont
    net.forward()
    net.blobs["y"].host_diff.fill(0)
    net.blobs["y"].host_diff[1, 0, :2] = 1  # the past of step 1 of the sequence 0..2
    net.backward()
    assert net.blobs["x"].host_diff[:, 0].any(axis=1).tolist() == [True] * 2 + [False] * 4
    net.blobs["y"].host_diff.fill(0)
    net.blobs["y"].host_diff[1, 0, 2:] = 1  # and its future
    net.backward()
    seen = net.blobs["x"].host_diff.any(axis=2)
    assert seen[:, 0].tolist() == [False] + [True] * 2 + [False] * 3
    assert not seen[:, 1:].any()
