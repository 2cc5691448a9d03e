"""Weights and solver states in HDF5, as Caffe lays them out."""
from __future__ import annotations

import h5py
import numpy as np
import pytest

from caffe_lrcn.errors import SnapshotError, WeightsError
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.weights_io import (
    SolverStateFile,
    read_solverstate,
    read_weights,
    write_solverstate_h5,
    write_weights_h5,
)

from .weight_bytes import GOLDEN

SOLVERS = GOLDEN / "solvers"


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
    with pytest.raises(WeightsError,
                       match=r"other.h5: '/data/x/0' is not an array of weights.*int64"):
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


def test_data_are_no_weights(tmp_path):
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["data"] = np.zeros((3, 2))
    with pytest.raises(WeightsError, match=r"rows.h5: the file holds no weights"):
        read_weights(tmp_path / "rows.h5")
