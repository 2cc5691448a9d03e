"""Blobs, lists of them, and the faces of layers."""
from __future__ import annotations

import gc

import numpy as np
import pytest

import caffe_lrcn as caffe
from caffe_lrcn._caffe import (
    BlobVec,
    BoolVec,
    DtypeVec,
    IntVec,
    LayerVec,
    NetVec,
    RawBlobVec,
    StringVec,
)
from caffe_lrcn.errors import ShapeError
from tests.pycaffe.nets import LINEAR, write


@pytest.fixture
def net(tmp_path):
    return caffe.Net(write(tmp_path, LINEAR), caffe.TEST)


def test_data_and_diff_are_writable_views_that_outlive_the_net(tmp_path):
    net = caffe.Net(write(tmp_path, LINEAR), caffe.TEST)
    data = net.blobs["data"].data
    data[...] = 3
    np.testing.assert_array_equal(net.blobs["data"].data, 3)
    net.blobs["data"].diff[0] = 1
    assert data.dtype == np.float32 and net.blobs["data"].diff.sum() == 3
    del net
    gc.collect()
    np.testing.assert_array_equal(data, 3)


def test_shapes_and_legacy_names(net):
    blob = net.blobs["data"]
    assert (blob.num, blob.channels, blob.height, blob.width, blob.count) == (4, 3, 1, 1, 12)
    assert list(blob.shape) == [4, 3] and "(4, 3)" in repr(blob)
    blob.reshape(2, 3, 4, 5, 6)
    with pytest.raises(RuntimeError, match="up to four axes"):
        blob.num  # noqa: B018
    blob.reshape()
    assert blob.shape == () and blob.count == 1
    with pytest.raises(TypeError):
        blob.reshape(num=3)
    with pytest.raises(ShapeError):
        blob.reshape(-1)


def test_vectors_are_lists(net):
    params = net.params["fc"]
    assert isinstance(params, BlobVec) and isinstance(params, RawBlobVec) and len(params) == 2
    assert params[-1] == params[1] != params[0] and params[:1] == [params[0]]
    assert params[0] in params and len({*params, params[0]}) == 2
    params.add_blob(2, 3)
    assert params[2].shape == (2, 3) and len(net.layers[1].blobs) == 3
    assert isinstance(net.layers, LayerVec) and isinstance(net._layer_names, StringVec)
    assert isinstance(net._inputs, IntVec) and isinstance(net._blob_loss_weights, DtypeVec)
    for kind in (BoolVec, NetVec):
        vector = kind([1])
        vector.append(2)
        assert vector == [1, 2]


def test_a_layer_can_be_run_by_hand(net):
    layer = net.layers[1]
    assert layer.type == "InnerProduct" and layer.blobs[0].shape == (2, 3)
    bottom, top = RawBlobVec(net._blobs._blobs[:1]), RawBlobVec(net._blobs._blobs[1:])
    bottom[0].reshape(6, 3)
    layer.reshape(bottom, top)
    assert top[0].shape == (6, 2)
    bottom[0].data[...] = 1
    layer.forward(bottom, top)
    np.testing.assert_allclose(top[0].data[0], layer.blobs[0].data.sum(1), rtol=1e-5)
    top[0].diff[...] = 1
    layer.backward(top, [True], bottom)
    np.testing.assert_allclose(bottom[0].diff[0], layer.blobs[0].data.sum(0), rtol=1e-5)
    layer.setup(bottom, top)
    assert len(layer.blobs) >= 2
