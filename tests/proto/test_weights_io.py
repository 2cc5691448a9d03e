"""Solver states, HDF5 files, image means, and telling the kinds of files apart."""
from __future__ import annotations

import io
import shutil

import h5py
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
    write_solverstate_h5,
    write_weights,
    write_weights_h5,
)
from caffe_lrcn.proto.wire import Wire

from .weight_bytes import GOLDEN

SOLVERS = GOLDEN / "solvers"
STATES = ["sgd_iter_6", "adam_iter_6", "sgd_momentum_step_clip_iter_6"]


def layer(name: str) -> caffe_pb2.LayerParameter:
    return caffe_pb2.LayerParameter(name=name, type="X")


def tree(path) -> dict:
    """Everything in an HDF5 file: groups, and datasets with type, size and value."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            kind = item.id.get_type()
            found[name] = (kind.get_class(), kind.get_size(), item.shape, item[()].tobytes())
        else:
            found[name] = len(item)

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


# -- solver states -----------------------------------------------------------------------


@pytest.mark.parametrize("name", STATES)
def test_states_are_read_and_rewritten_byte_by_byte(name):
    path = SOLVERS / f"{name}.solverstate"
    state = read_solverstate(path)
    want = caffe_pb2.SolverState.FromString(path.read_bytes())
    assert (state.iter, state.learned_net, state.current_step) == (
        6, f"{name}.caffemodel", want.current_step)
    assert len(state.history) == len(want.history)
    for array, message in zip(state.history, want.history, strict=True):
        assert array.shape == tuple(message.shape.dim)
        np.testing.assert_array_equal(array.ravel(), np.float32(message.data))
    out = io.BytesIO()
    write_solverstate(out, state)
    assert out.getvalue() == path.read_bytes()


def test_the_step_of_multistep_is_kept():
    assert read_solverstate(SOLVERS / f"{STATES[2]}.solverstate").current_step == 1


@pytest.mark.parametrize("data, part", [
    (caffe_pb2.SolverState(current_step=1).SerializeToString(), "holds no iteration number"),
    (caffe_pb2.SolverState(iter=-1).SerializeToString(), "no number of iterations"),
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


# -- HDF5 --------------------------------------------------------------------------------


def test_hdf5_weights_are_read_and_rewritten(tmp_path):
    path = SOLVERS / "sgd_hdf5_iter_6.caffemodel.h5"
    file = read_weights(path)
    assert file.dialect == "HDF5" and len(file.layers) == 16
    with h5py.File(path) as want:
        for found in file.layers:
            group = want["data"][found.name]
            assert len(group) == len(found.blobs) == len(found.diffs) == len(found.legacy_shape)
            for index, array in enumerate(found.blobs):
                np.testing.assert_array_equal(array, group[str(index)][()])
    write_weights_h5(tmp_path / "x.h5", [(found.definition, found.blobs, found.diffs)
                                         for found in file.layers])
    assert tree(tmp_path / "x.h5") == tree(path)


def test_hdf5_state_is_read_and_rewritten(tmp_path):
    path = SOLVERS / "sgd_hdf5_iter_6.solverstate.h5"
    state = read_solverstate(path)
    assert (state.iter, state.current_step, len(state.history)) == (6, 0, 14)
    assert state.learned_net == "sgd_hdf5_iter_6.caffemodel.h5"
    write_solverstate_h5(tmp_path / "x.h5", state)
    assert tree(tmp_path / "x.h5") == tree(path)
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["learned_net"].id.get_type().get_strpad() == h5py.h5t.STR_NULLTERM


def test_history_keeps_its_order_beyond_ten(tmp_path):
    state = SolverStateFile(1, "é", [np.full(2, i, np.float32) for i in range(12)], 3)
    write_solverstate_h5(tmp_path / "x.h5", state)
    again = read_solverstate(tmp_path / "x.h5")
    assert [array[0] for array in again.history] == list(range(12))
    assert (again.learned_net, again.current_step) == ("é", 3)


def test_hdf5_diffs_shared_parameters_and_names_with_slashes(tmp_path):
    one, two = np.ones(2, np.float32), np.zeros((2, 2), np.float64)
    write_weights_h5(tmp_path / "x.h5", [(layer("a"), [one, two], [-one, None]),
                                         (layer("a/b"), [one], None),
                                         (layer("c"), [None, two], [one, two]),
                                         (layer("d"), [], None)])
    with h5py.File(tmp_path / "x.h5") as file:
        assert sorted(file["data/c"]) == ["1"] and sorted(file["diff/c"]) == ["0", "1"]
    found = {entry.name: entry for entry in read_weights(tmp_path / "x.h5").layers}
    assert sorted(found) == ["a", "a/b", "c", "d"]
    np.testing.assert_array_equal(found["a"].diffs[0], -one)
    assert found["a"].diffs[1] is None and found["a"].blobs[1].dtype == np.float64
    assert found["c"].blobs[0] is None
    np.testing.assert_array_equal(found["c"].blobs[1], two)
    assert len(found["a/b"].blobs) == 1 and found["d"].blobs == []


def test_duplicate_names_in_hdf5(tmp_path):
    # CAFFE-QUIRK fixed: Caffe aborts for any duplicate; LRCN nets have two layers "data".
    one = np.ones(2, np.float32)
    write_weights_h5(tmp_path / "x.h5", [(layer("data"), [], None), (layer("data"), [one], None),
                                         (layer("data"), [], None)])
    assert len(read_weights(tmp_path / "x.h5").layers[0].blobs) == 1
    with pytest.raises(WeightsError, match="layer 'ip': two layers"):
        write_weights_h5(tmp_path / "y.h5", [(layer("ip"), [one], None)] * 2)


def test_truncated_and_foreign_hdf5(tmp_path):
    source = SOLVERS / "sgd_hdf5_iter_6.caffemodel.h5"
    (tmp_path / "cut.h5").write_bytes(source.read_bytes()[:9000])
    with pytest.raises(WeightsError, match="cut.h5: damaged, truncated"):
        read_weights(tmp_path / "cut.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["data/x/0"] = np.arange(3)
    with pytest.raises(WeightsError, match=r"other.h5: '/data/x/0' is no array of weights.*int64"):
        read_weights(tmp_path / "other.h5")
    with h5py.File(tmp_path / "huge.h5", "w") as file:
        file.create_dataset("data/x/0", (10**9, 10**3), np.float32, chunks=(10, 10))
    with pytest.raises(WeightsError, match="4000000000000 bytes"):
        read_weights(tmp_path / "huge.h5")
    with h5py.File(tmp_path / "gap.h5", "w") as file:
        file["data/x/987654321"] = np.ones(1, np.float32)
    with pytest.raises(WeightsError, match="not numbered one by one"):
        read_weights(tmp_path / "gap.h5")
    with h5py.File(tmp_path / "state.h5", "w") as file:
        file["iter"], file["history"] = "six", 3
    with pytest.raises(SnapshotError, match="state.h5: damaged"):
        read_solverstate(tmp_path / "state.h5")


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
