from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import NetError, ShapeError
from caffe_lrcn.layer_types import layer_class
from caffe_lrcn.layer_types.base import TRAIN
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import parse_net
from tests.harness.layers import after_backward, check_broken_is_caught, make_layer

_RNG = np.random.default_rng(0)
_X, _Z = _RNG.normal(size=(4, 3, 2)), _RNG.normal(size=(4,))
_SELECTOR = [0.5, 0, 0, -1]


def _layer(tops: int = 2) -> str:
    names = " ".join(f'top: "y{i}"' for i in range(tops))
    return ('layer { name: "f" type: "Filter" bottom: "x" bottom: "z" bottom: "selector" '
            f'{names} }}')


@pytest.mark.parametrize("shape", [(4,), (4, 1, 1, 1)])
def test_values(shape, any_backend):
    case = make_layer(_layer(), [_X, _Z, np.reshape(_SELECTOR, shape)], backend=any_backend)
    case.forward()
    np.testing.assert_allclose(case.top[0].host_data, _X[[0, 3]], rtol=1e-6)
    np.testing.assert_allclose(case.top[1].host_data, _Z[[0, 3]], rtol=1e-6)


def test_gradient():
    def to_the_first_rows(top, bottom):
        bottom[0].diff.fill(0)
        bottom[0].diff[:2] = top[0].diff

    def over_what_was_there(top, bottom):
        bottom[0].diff[1] = 1
    for change in (to_the_first_rows, over_what_was_there):
        check_broken_is_caught(_layer(), [_X, _Z, _SELECTOR], after_backward(change), wrt=[0, 1])


def test_shows_the_whole_batch_until_the_first_pass():
    # CAFFE-QUIRK
    case = make_layer(_layer(), [_X, _Z, _SELECTOR])
    case.layer.reshape(case.bottom, case.top)
    assert [blob.shape for blob in case.top] == [(4, 3, 2), (4,)]
    case.forward()
    case.layer.reshape(case.bottom, case.top)
    assert [blob.shape for blob in case.top] == [(2, 3, 2), (2,)]


def test_nothing_selected_leaves_no_rows(any_backend):
    case = make_layer(_layer(), [_X, _Z, np.zeros(4)], backend=any_backend)
    case.bottom[0].host_diff[...] = 7
    case.forward()
    case.backward()
    assert [blob.shape for blob in case.top] == [(0, 3, 2), (0,)]
    assert not case.bottom[0].host_diff.any()


def test_the_selection_may_change_from_pass_to_pass():
    case = make_layer(_layer(), [_X, _Z, _SELECTOR])
    for rows in ([0], [0, 1, 2, 3], [], [1, 2]):
        case.bottom[2].host_data[...] = np.isin(np.arange(4), rows)
        case.forward()
        np.testing.assert_array_equal(case.top[0].host_data, _X[rows])


def test_following_layers_run_on_no_rows(any_backend):
    text = '''
        layer { name: "x" type: "Input" top: "x" top: "label" top: "selector"
                input_param { shape { dim: 4 dim: 3 } shape { dim: 4 } shape { dim: 4 } } }
        layer { name: "f" type: "Filter" bottom: "x" bottom: "label" bottom: "selector"
                top: "y" top: "kept" }
        layer { name: "ip" type: "InnerProduct" bottom: "y" top: "ip"
                inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
        layer { name: "relu" type: "ReLU" bottom: "ip" top: "ip" }
        layer { name: "elu" type: "ELU" bottom: "ip" top: "elu" }
        layer { name: "loss" type: "SoftmaxWithLoss" bottom: "elu" bottom: "kept" top: "loss" }'''
    net = Net(parse_net(text, "test.prototxt"), any_backend, phase=TRAIN)
    net.blobs["selector"].host_data[...] = 0
    net.clear_param_diffs()
    assert net.forward() == 0
    net.backward()
    assert all(not blob.host_diff.any() for blob in net.learnable_params)


@pytest.mark.parametrize(("bottoms", "message"), [
    ((_X, _Z, np.ones((4, 2))), "one value per sample"),
    ((_X, _Z, np.ones(())), "one value per sample"),
    ((_X, _Z[:3], np.ones(4)), r"differ in axis 0 \(got \(3,\), wanted \(4, ...\)\)")])
def test_wrong_shapes_are_refused(bottoms, message):
    with pytest.raises(ShapeError, match=f"test.prototxt:1:.*layer 'f': .*{message}"):
        make_layer(_layer(), bottoms)


@pytest.mark.parametrize("tops", [1, 3])
def test_a_wrong_number_of_tops_is_refused(tops):
    with pytest.raises(NetError, match=f"needs a top .got {tops} tops, wanted 2"):
        make_layer(_layer(tops), [_X, _Z, _SELECTOR])


def test_the_selector_has_no_gradient():
    case = make_layer(_layer(), [_X, _Z, _SELECTOR])
    assert case.default_propagate_down() == [True, True, False]
    case.forward()
    with pytest.raises(NetError, match="layer 'f': the selector has no gradient"):
        case.backward(propagate_down=[True, True, True])


def test_refuses_to_work_in_place():
    assert not layer_class("Filter").allows_in_place
