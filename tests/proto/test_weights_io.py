"""Solver states, image means, and telling the kinds of files apart."""
from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caffe_lrcn.errors import DataError, SnapshotError, WeightsError
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.solverstate import read_state_wire
from caffe_lrcn.proto.weights_io import (
    SolverStateFile,
    read_blob_proto,
    read_solverstate,
    read_weights,
    write_blob_proto,
    write_solverstate,
    write_weights,
)
from caffe_lrcn.proto.wire import Wire

from .weight_bytes import GOLDEN

SOLVERS = GOLDEN / "solvers"
STATES = ["sgd_iter_6", "adam_iter_6", "sgd_momentum_step_clip_iter_6"]


def layer(name: str) -> caffe_pb2.LayerParameter:
    return caffe_pb2.LayerParameter(name=name, type="X")


# -- solver states -----------------------------------------------------------------------


@pytest.mark.parametrize("name", STATES)
def test_states_are_read_and_rewritten_byte_by_byte(name, tmp_path):
    path = SOLVERS / f"{name}.solverstate"
    state = read_solverstate(path)
    want = caffe_pb2.SolverState.FromString(path.read_bytes())
    assert (state.iter, state.learned_net, state.current_step) == (
        6, f"{name}.caffemodel", want.current_step)
    assert len(state.history) == len(want.history)
    for array, message in zip(state.history, want.history, strict=True):
        assert array.shape == tuple(message.shape.dim)
        np.testing.assert_array_equal(array.ravel(), np.float32(message.data))
    write_solverstate(tmp_path / "x", state)
    assert (tmp_path / "x").read_bytes() == path.read_bytes()


def test_the_step_of_multistep_is_kept():
    assert read_solverstate(SOLVERS / f"{STATES[2]}.solverstate").current_step == 1


@pytest.mark.parametrize("data, part", [
    (caffe_pb2.SolverState(current_step=1).SerializeToString(), "holds no iteration number"),
    (caffe_pb2.SolverState(iter=-1).SerializeToString(), "not a number of iterations"),
    (b"\x08\x06\x12\x7fabc", "byte 2: field 2 of the solver state announces 127"),
])
def test_damaged_states(tmp_path, data, part):
    (tmp_path / "x.solverstate").write_bytes(data)
    with pytest.raises(SnapshotError, match=part):
        read_solverstate(tmp_path / "x.solverstate")


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 400), st.integers(0, 400), st.binary(max_size=4))
def test_any_bytes_give_a_state_or_an_error(start, end, patch):
    data = (SOLVERS / "sgd_iter_6.solverstate").read_bytes()[:800]
    data = data[:start] + patch + data[start + end:]
    try:
        state = read_state_wire(Wire(memoryview(data), "f", SnapshotError))
    except SnapshotError:
        return
    assert sum(array.nbytes for array in state.history) <= len(data)


# -- image means -------------------------------------------------------------------------


def test_image_mean(tmp_path):
    mean = read_blob_proto(GOLDEN / "data" / "mean.binaryproto")
    assert mean.shape == (1, 3, 32, 40) and mean.dtype == np.float32
    write_blob_proto(tmp_path / "x.binaryproto", mean)
    np.testing.assert_array_equal(read_blob_proto(tmp_path / "x.binaryproto"), mean)
    with pytest.raises(DataError, match="a binary .caffemodel"):
        read_blob_proto(SOLVERS / "sgd_iter_6.caffemodel")


# -- the wrong kind of file --------------------------------------------------------------

WRONG_FOR_WEIGHTS = [
    ("solvers/sgd_iter_6.solverstate", "a binary .solverstate.*--snapshot"),
    ("solvers/sgd_hdf5_iter_6.solverstate.h5", "no weights.*--snapshot"),
    ("legacy/v1.prototxt", "a text file.*prototxt"),
    ("data/mean.binaryproto", "image mean"),
]
WRONG_FOR_STATE = [
    ("solvers/sgd_iter_6.caffemodel", "a binary .caffemodel.*--weights"),
    ("solvers/sgd_hdf5_iter_6.caffemodel.h5", "no solver state.*--weights"),
    ("legacy/v1.prototxt", "a text file.*prototxt"),
]


@pytest.mark.parametrize("name, part", WRONG_FOR_WEIGHTS)
def test_other_files_given_as_weights(tmp_path, name, part):
    copy = shutil.copy(GOLDEN / name, tmp_path / "x.caffemodel")  # the name says nothing
    with pytest.raises(WeightsError, match=part):
        read_weights(copy)


@pytest.mark.parametrize("name, part", WRONG_FOR_STATE)
def test_other_files_given_as_solver_state(tmp_path, name, part):
    copy = shutil.copy(GOLDEN / name, tmp_path / "x.solverstate")
    with pytest.raises(SnapshotError, match=part):
        read_solverstate(copy)


@pytest.mark.parametrize("content, part", [
    (b"", "empty"), (b"\x89PNG\r\n\x1a\nxx", "PNG"), (b"PK\x03\x04xx", "zip"),
    (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"), (b"<html></html>", "text")])
def test_files_from_elsewhere(tmp_path, content, part):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(WeightsError, match=part):
        read_weights(tmp_path / "x")
    with pytest.raises(SnapshotError, match=part):
        read_solverstate(tmp_path / "x")


@pytest.mark.parametrize("name", ["", "n", "a" * 300, "b" * 5000])
def test_own_weights_are_recognised_whatever_the_net_is_called(tmp_path, name):
    write_weights(tmp_path / "x", name, [(layer("a"), [np.ones(2000, np.float32)], None)])
    file = read_weights(tmp_path / "x")
    assert file.name == name and file.layers[0].blobs[0].shape == (2000,)


@pytest.mark.parametrize("count", [0, 1, 300, 10**6])
def test_own_states_are_recognised_at_every_iteration(tmp_path, count):
    write_solverstate(tmp_path / "x", SolverStateFile(count, "", [np.ones(3, np.float32)]))
    assert read_solverstate(tmp_path / "x").iter == count


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40))
def test_any_file_gives_weights_or_an_error(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(data)
    for read, error in ((read_weights, WeightsError), (read_solverstate, SnapshotError)):
        try:
            read(path)
        except error as problem:
            assert str(problem).startswith(str(path))
