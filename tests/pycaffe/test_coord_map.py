"""Coordinate maps between blobs, and crops that align them."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn import layers as L
from caffe_lrcn import params as P
from caffe_lrcn.pycaffe.coord_map import (
    AxisMismatchException,
    UndefinedMapException,
    compose,
    conv_params,
    coord_map,
    coord_map_from_to,
    crop,
    crop_params,
    inverse,
)
from caffe_lrcn.pycaffe.net_spec import Function


@pytest.fixture
def data():
    return L.Input(shape=dict(dim=[2, 1, 100, 100]))


def conv(bottom, **fields):
    return L.Convolution(bottom, **{"num_output": 1, "kernel_size": 5, **fields})


def plain(got):
    axis, scale, shift = got
    return axis, np.asarray(scale).item(), np.asarray(shift).item()


def test_maps_of_layers(data):
    assert plain(coord_map(conv(data, stride=2, pad=1).fn)) == (1, 0.5, -0.5)
    assert plain(coord_map(conv(data, dilation=3).fn)) == (1, 1, -6)
    assert plain(coord_map(L.Pooling(data, kernel_size=3, stride=2).fn)) == (1, 0.5, -0.5)
    assert plain(coord_map(L.Im2col(data, kernel_size=3).fn)) == (1, 1, -1)
    deconv = L.Deconvolution(data, convolution_param=dict(kernel_size=4, stride=2, pad=1))
    assert plain(coord_map(deconv.fn)) == (1, 2, 0.5)
    assert plain(coord_map(L.Crop(data, data, axis=2, offset=3).fn)) == (1, 1, -3)
    assert coord_map(L.ReLU(data).fn) == coord_map(L.Eltwise(data, data).fn) == (None, 1, 0)
    with pytest.raises(UndefinedMapException, match="InnerProduct"):
        coord_map(L.InnerProduct(data, num_output=2).fn)


def test_parameters_of_layers(data):
    axis, stride, size, pad = conv_params(conv(data, dilation=2, pad=3).fn)
    assert (axis, stride, size, pad) == (1, 1, 9, 3)
    assert crop_params(L.Crop(data, data, crop_param=dict(axis=1)).fn) == (1, 0)
    assert crop_params(L.Crop(data, data).fn)[0] == 2


@pytest.mark.parametrize("field", ["kernel_h", "stride_w", "pad_h"])
def test_fields_for_one_axis_have_no_map(data, field):
    # CAFFE-QUIRK
    with pytest.raises(AssertionError, match="no map"):
        coord_map(conv(data, **{field: 1}).fn)


def test_compose_and_inverse():
    assert compose((1, 2, 3), (None, 4, 5)) == (1, 8, 13)
    assert compose((None, 1, 0), (1, 4, 5)) == (1, 4, 5)
    assert inverse((1, 4, 2)) == (1, 0.25, -0.5)
    with pytest.raises(AxisMismatchException, match="axes 1 and 2"):
        compose((1, 1, 0), (2, 1, 0))


def offset(top):
    return top.fn.params["crop_param"]["offset"]


def test_crop_aligns_with_an_ancestor(data):
    small = conv(conv(data))
    aligned = crop(data, small)
    assert aligned.fn.type_name == "Crop" and aligned.fn.inputs == (data, small)
    assert aligned.fn.params["crop_param"] == {"axis": 2, "offset": [4]}
    assert offset(crop(data, conv(data, pad=2))) == [0]
    assert offset(crop(data, conv(data, kernel_size=[5, 7]))) == [2, 3]
    assert crop(data, L.ReLU(data)).fn.params["crop_param"] == {"axis": 2, "offset": [0]}


def test_down_and_up_again(data):
    down = L.Pooling(conv(data, pad=100), kernel_size=2, stride=2, pool=P.Pooling.MAX)
    up = L.Deconvolution(down, num_output=1, kernel_size=4, stride=2, pad=0)
    assert plain(coord_map_from_to(up, data))[1] == 1
    assert offset(crop(up, data)) == [99]


def test_a_crop_is_followed_to_its_first_bottom_only(data):
    cropped = crop(data, conv(data))
    assert plain(coord_map_from_to(data, L.ReLU(cropped))) == (1, 1, -2)
    other = L.Input()
    with pytest.raises(RuntimeError, match="common blob"):
        coord_map_from_to(L.Crop(other, data, axis=2), data)


def test_what_cannot_be_cropped(data):
    with pytest.raises(AssertionError, match="scale"):
        crop(data, conv(data, stride=2))
    with pytest.raises(AssertionError, match="outside"):
        crop(conv(data), data)
    with pytest.raises(AssertionError, match="not an integer"):
        crop(data, conv(data, kernel_size=4))
    with pytest.raises(RuntimeError, match="common blob"):
        crop(data, L.InnerProduct(data, num_output=1))


@pytest.mark.parametrize("kind", """AbsVal BatchNorm Bias BNLL Dropout Eltwise ELU Log LRN Exp MVN
    Power ReLU PReLU Scale Sigmoid Split TanH Threshold""".split())
def test_types_that_keep_coordinates(data, kind):
    assert coord_map(Function(kind, (data,), {})) == (None, 1, 0)
