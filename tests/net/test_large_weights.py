"""Weights through every format, and what happens when they are large."""
from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import WeightsError
from caffe_lrcn.net import weights
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import parse_net, read_solver
from caffe_lrcn.proto.weights_io import read_weights, write_weights, write_weights_h5
from caffe_lrcn.solver import checkpoint
from caffe_lrcn.solver.solver import Solver
from tests.solver.tiny import make_task

NET = """
name: "shapes"
layer { name: "x" type: "Input" top: "x" top: "cont" input_param {
  shape { dim: 2 dim: 3 dim: 5 dim: 4 } shape { dim: 2 dim: 3 } } }
layer { name: "lstm" type: "LSTM" bottom: "x" bottom: "cont" top: "h"
  recurrent_param { num_output: 4 weight_filler { type: "gaussian" } } }
layer { name: "conv" type: "Convolution" bottom: "x" top: "c"
  convolution_param { num_output: 2 kernel_size: 2 weight_filler { type: "gaussian" } } }
layer { name: "norm" type: "BatchNorm" bottom: "c" top: "c" }
layer { name: "slope" type: "PReLU" bottom: "c" top: "c" prelu_param { channel_shared: true } }
layer { name: "one" type: "InnerProduct" bottom: "c" top: "one" param { name: "shared" }
  inner_product_param { num_output: 3 bias_term: false weight_filler { type: "gaussian" } } }
layer { name: "two" type: "InnerProduct" bottom: "c" top: "two" param { name: "shared" }
  inner_product_param { num_output: 3 bias_term: false } }
"""
V1_NAMES = {"Convolution": "CONVOLUTION", "InnerProduct": "INNER_PRODUCT"}


def build(seed: int, text: str = NET) -> Net:
    net = Net(parse_net(text), get_backend("cpu", np.float32), phase=0, seed=seed)
    rng = np.random.default_rng(seed)
    for blob in net.learnable_params:
        blob.host_data[...] = rng.normal(size=blob.shape)
        blob.host_diff[...] = rng.normal(size=blob.shape)
    return net


def same(left: Net, right: Net, diffs: bool = False) -> bool:
    return all(np.array_equal(a.host_data, b.host_data)
               and (not diffs or np.array_equal(a.host_diff, b.host_diff))
               for a, b in zip(left.learnable_params, right.learnable_params, strict=True))


# -- round trips ---------------------------------------------------------------------------


@pytest.mark.parametrize("diffs", [False, True])
@pytest.mark.parametrize("form", ["save", "save_hdf5"])
def test_weights_come_back_from_both_formats(form, diffs, tmp_path):
    net, other, path = build(1), build(2), str(tmp_path / "w")
    getattr(net, form)(path, diffs)
    assert not same(net, other)
    report = other.copy_trained_layers_from(path)
    assert same(net, other, diffs) and not report.missing and not report.unused
    again = str(tmp_path / "again")
    getattr(other, form)(again, diffs)
    if form == "save":
        assert (tmp_path / "w").read_bytes() == (tmp_path / "again").read_bytes()


@pytest.mark.parametrize("numbers", ["data", "double_data"])
def test_weights_come_back_from_old_layers_with_four_axes(numbers, tmp_path):
    text = NET[:NET.index("layer { name: \"lstm\"")] + "\n".join(
        line for part in ("conv", "one") for line in [NET[NET.index(f'layer {{ name: "{part}"'):]
                                                      .split("\nlayer")[0]])
    net, other = build(1, text), build(2, text)
    old = caffe_pb2.NetParameter(name="old")
    for layer in net.layers:
        if not layer.blobs:
            continue
        message = old.layers.add(name=layer.name, type=V1_NAMES[layer.type])
        for blob in layer.blobs:
            dims = (1, 1, 1, 1, *blob.shape)[-4:]
            stored = message.blobs.add(num=dims[0], channels=dims[1], height=dims[2],
                                       width=dims[3])
            getattr(stored, numbers).extend(blob.host_data.ravel().tolist())
    path = tmp_path / "w.caffemodel"
    path.write_bytes(old.SerializeToString())
    assert other.copy_trained_layers_from(str(path)).loaded == ["conv", "one"]
    assert same(net, other)


def test_a_file_that_bvlc_s_classes_parse_and_write_again(tmp_path):
    net, other, path = build(1), build(2), tmp_path / "w.caffemodel"
    net.save(str(path), diffs=True)
    message = caffe_pb2.NetParameter.FromString(path.read_bytes())
    path.write_bytes(message.SerializeToString())
    other.copy_trained_layers_from(str(path))
    assert same(net, other, diffs=True)


# -- sizes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("diffs", [False, True])
def test_the_size_is_known_beforehand(diffs, tmp_path):
    net = build(1)
    net.save(str(tmp_path / "w"), diffs)
    blobs = sum(len(layer.blobs) for layer in net.layers)
    assert 0 <= (tmp_path / "w").stat().st_size - weights.binary_size(net, diffs) < 100 + 30 * blobs


def test_more_than_protobuf_reads_is_refused(tmp_path, monkeypatch):
    net = build(1)
    assert weights.BINARY_LIMIT == 2_147_483_647
    monkeypatch.setattr(weights, "BINARY_LIMIT", weights.binary_size(net, True) - 1)
    with pytest.raises(WeightsError, match="too large for a binary .* HDF5"):
        net.save(str(tmp_path / "w"), diffs=True)
    assert not (tmp_path / "w").exists()
    net.save(str(tmp_path / "w"))


@pytest.mark.parametrize(("solver_type", "diffs"), [("Adam", False), ("SGD", True)])
def test_large_snapshots_become_hdf5(solver_type, diffs, tmp_path, monkeypatch, caplog):
    """Adam's two histories are longer than the weights, which alone would fit."""
    monkeypatch.chdir(tmp_path)
    definition = read_solver(make_task(tmp_path))
    param = definition.param
    param.type, param.snapshot_diff = solver_type, diffs
    solver = Solver(definition)
    try:
        monkeypatch.setattr(checkpoint, "BINARY_LIMIT", weights.binary_size(solver.net))
        caplog.set_level("INFO")
        solver.step(5)
        state = tmp_path / "out" / "tiny_iter_5.solverstate.h5"
        assert state.exists() and not (tmp_path / "out" / "tiny_iter_5.caffemodel").exists()
        assert sum("writing HDF5 instead" in line for line in caplog.messages) == 1
        values = [blob.host_data.copy() for blob in solver.net.learnable_params]
        solver.step(2)
        solver.restore(str(state))
        assert solver.iter == 5
        for blob, value in zip(solver.net.learnable_params, values, strict=True):
            np.testing.assert_array_equal(blob.host_data, value)
    finally:
        solver.close()


@pytest.mark.slow
@pytest.mark.parametrize("write", [
    lambda path, record: write_weights(path, "large", [record]),
    lambda path, record: write_weights_h5(path, [record])], ids=["binary", "HDF5"])
def test_a_large_blob_takes_its_own_size_in_memory(write, tmp_path):
    values = np.random.default_rng(1).random((4096, 9216), np.float32)  # fc6 of CaffeNet, 144 MB
    definition = caffe_pb2.LayerParameter(name="fc6", type="InnerProduct")
    path, peaks = tmp_path / "w", []
    tracemalloc.start()
    try:
        write(path, (definition, [values], None))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.reset_peak()
        (layer,) = read_weights(path).layers
        peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(layer.blobs[0], values)
    assert peaks[0] < 2**22 and peaks[1] < values.nbytes + 2**22
