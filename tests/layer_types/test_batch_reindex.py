from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import LabelError, NetError, ShapeError
from caffe_lrcn.layer_types import layer_class
from tests.harness.layers import break_op, check_broken_is_caught, make_layer

_X = np.random.default_rng(0).normal(size=(4, 3, 2))
_INDEX = np.array([2, 0, 0, 3, 2, 2])
_LAYER = 'layer { name: "b" type: "BatchReindex" bottom: "x" bottom: "index" top: "y" }'


@pytest.mark.parametrize("x", [_X, _X[:, 0, 0]])
def test_values(x, any_backend):
    case = make_layer(_LAYER, [x, _INDEX], backend=any_backend)
    case.forward()
    np.testing.assert_allclose(case.top[0].host_data, x[_INDEX], rtol=1e-6)


@pytest.mark.parametrize("x", [_X, _X[:, 0, 0]])
def test_gradient(x, any_backend64):
    def overwrite(op):
        def broken(index, dy, d_weight, *rest):
            d_weight[index.astype(int)] = dy
        return broken
    check_broken_is_caught(_LAYER, [x, _INDEX], break_op("embed", "backward", overwrite),
                           backend=any_backend64)


def test_fractions_of_indices_are_cut_off():
    case = make_layer(_LAYER, [_X, [2.9, -0.5]])
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, _X[[2, 0]])


def test_no_indices_give_no_samples(any_backend):
    case = make_layer(_LAYER, [_X, []], backend=any_backend)
    case.forward()
    case.backward()
    assert case.top[0].shape == (0, 3, 2) and not case.bottom[0].host_diff.any()


@pytest.mark.parametrize(("value", "got"), [(4, "4"), (-1, "-1"), (np.nan, "nan")])
def test_other_indices_are_refused(value, got, any_backend):
    case = make_layer(_LAYER, [_X, [0, value]], backend=any_backend)
    with pytest.raises(LabelError, match=f"layer 'b': an index is not .*got {got}, wanted 0 to 3"):
        case.forward()


def test_wrong_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"must have one axis \(got \(2, 1\), wanted \(M,\)\)"):
        make_layer(_LAYER, [_X, np.zeros((2, 1))])
    with pytest.raises(ShapeError, match="no batch axis"):
        make_layer(_LAYER, [np.array(1.0), [0]])


def test_indices_have_no_gradient():
    case = make_layer(_LAYER, [_X, _INDEX])
    assert case.default_propagate_down() == [True, False]
    case.forward()
    with pytest.raises(NetError, match="layer 'b': indices have no gradient"):
        case.backward(propagate_down=[True, True])


def test_refuses_to_work_in_place():
    assert not layer_class("BatchReindex").allows_in_place
