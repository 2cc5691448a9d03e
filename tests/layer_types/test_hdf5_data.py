"""HDF5Data as a layer: definition, paths, cursor, warnings."""
from __future__ import annotations

import h5py
import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import DataError, PrototxtError
from caffe_lrcn.layer_types.base import TRAIN, Settings
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.text import read_net
from tests.harness.layers import make_layer

ROWS = 7


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with two files of rows 0 to 3 and 4 to 6, their list, a definition ``net``."""
    for index, rows in enumerate((np.arange(4), np.arange(4, ROWS))):
        with h5py.File(tmp_path / f"{index}.h5", "w") as file:
            file["row"] = rows
            file.create_dataset("wide", data=np.outer(rows, [1.0, 10, 100]), chunks=(3, 3))
    (tmp_path / "list.txt").write_text("0.h5\n\n1.h5\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def definition(batch_size=3, more="", source="list.txt"):
    return (f'layer {{ name: "d" type: "HDF5Data" top: "row" top: "wide" {more}\n'
            f'  hdf5_data_param {{ source: "{source}" batch_size: {batch_size} }} }}')


def shuffled(batch_size=3):
    return definition(batch_size).replace("batch_size", "shuffle: true batch_size")


@pytest.fixture
def build():
    """Make layers that are closed after the test."""
    cases = []

    def make(prototxt, **options):
        cases.append(make_layer(prototxt, [], **options))
        return cases[-1]

    yield make
    for case in cases:
        case.layer.close()


def run(case, batches):
    """Return the rows of consecutive forward passes; ``wide`` must go along."""
    seen = []
    for _ in range(batches):
        case.forward()
        rows, wide = (blob.host_data.copy() for blob in case.top)
        np.testing.assert_array_equal(wide, np.outer(rows, [1, 10, 100]))
        seen += rows.astype(int).tolist()
    return seen


def test_rows_in_order_across_files_and_wrapping(folder, build):
    case = build(definition())
    assert [blob.shape for blob in case.top] == [(3,), (3, 3)]
    assert run(case, 7) == 3 * list(range(ROWS))


@pytest.mark.parametrize("workers", [0, 2])
def test_shuffled_rows_do_not_depend_on_workers(folder, build, workers):
    rows = run(build(shuffled(), settings=Settings(workers=workers)), 14)
    epochs = [rows[start:start + ROWS] for start in range(0, 42, ROWS)]
    assert all(sorted(epoch) == list(range(ROWS)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 4
    assert rows == run(build(shuffled()), 14)
    assert rows != run(build(shuffled(), seed=2), 14)
    assert rows != run(build(shuffled(), phase=TRAIN), 14)


@pytest.mark.parametrize("used", [0, 1, 5])
def test_state_is_that_of_the_last_batch_used(folder, build, used):
    case = build(shuffled())
    run(case, used)
    state, rest = case.layer.state(), run(case, 6)
    assert state == {"record": 3 * used}
    other = build(shuffled())
    run(other, 2)
    other.layer.restore(state)
    assert run(other, 6) == rest


def test_files_are_found_beside_what_names_them(folder, monkeypatch, backend):
    (folder / "nets").mkdir()
    (folder / "nets" / "data").mkdir()
    for name in ("0.h5", "1.h5", "list.txt"):
        (folder / name).rename(folder / "nets" / "data" / name)
    (folder / "nets" / "net.prototxt").write_text(definition(source="data/list.txt"))
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    net = Net(read_net("../nets/net.prototxt"), backend, phase=TRAIN)
    net.forward()
    assert net.blobs["row"].host_data.tolist() == [0, 1, 2]
    net.close()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_have_the_net_s_type(folder, build, dtype):
    with h5py.File("0.h5", "a") as file:
        file["wide"][0, 0] = 0.1
    case = build(definition(), backend=get_backend("cpu", dtype))
    case.forward()
    assert case.top[1].host_data[0, 0] == dtype(0.1)


@pytest.mark.parametrize("more, message", [
    ("transform_param { scale: 2 }", r"test.prototxt:1:59: layer 'd': HDF5Data does not transfo"),
    ("", "batch_size 0")])
def test_wrong_definitions(folder, more, message):
    with pytest.raises(DataError, match=message):
        make_layer(definition(0, more), [])


def test_source_must_be_given(folder):
    with pytest.raises((DataError, PrototxtError), match="layer 'd': no source is given"):
        make_layer('layer { name: "d" type: "HDF5Data" top: "row" }', [])


def test_wrong_files_are_named(folder):
    (folder / "list.txt").write_text("0.h5 none.h5")
    with pytest.raises(DataError, match="none.h5: there is no such HDF5 file"):
        make_layer(definition(), [])
    with pytest.raises(DataError, match="0.h5: the file has no dataset 'cont'.*'row', 'wide'"):
        make_layer(definition().replace('top: "wide"', 'top: "cont"'), [])
    with pytest.raises(DataError, match="nowhere.txt: cannot read the list"):
        make_layer(definition(source="nowhere.txt"), [])


def test_chunks_far_larger_than_a_row_are_warned_about(folder, build, caplog):
    with h5py.File("0.h5", "a") as file:
        del file["row"], file["wide"]
        file["row"] = np.arange(64)
        file.create_dataset("wide", data=np.outer(np.arange(64), [1, 10, 100]), chunks=(64, 3))
    build(definition())
    assert not caplog.records
    build(shuffled())
    assert "dataset 'wide' of 0.h5 is stored in chunks 64 times as large" in caplog.text
    assert "'row'" not in caplog.text
