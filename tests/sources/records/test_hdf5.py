"""HDF5 rows: order, wrapping, shuffling, slices, and files that are wrong."""
from __future__ import annotations

from functools import partial

import h5py
import numpy as np
import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.sources.base import Random
from caffe_lrcn.sources.batcher import BatchSpec
from caffe_lrcn.sources.orders import Epochs
from caffe_lrcn.sources.records import hdf5
from caffe_lrcn.sources.records.hdf5 import HDF5Rows, inspect, read_amplification
from tests.harness.memory import peak_memory

COUNTS = (5, 3, 4)
#: What `row` holds in file order: 100 * file + row.
IN_ORDER = [100 * file + row for file, count in enumerate(COUNTS) for row in range(count)]


@pytest.fixture
def files(tmp_path):
    paths = []
    for index, count in enumerate(COUNTS):
        paths.append(str(tmp_path / f"{index}.h5"))
        rows = 100 * index + np.arange(count)
        with h5py.File(paths[-1], "w") as file:
            file["row"] = rows.astype(np.int64)
            file["pair"] = np.stack([rows, rows + 0.5], axis=1)
    return paths


def make_spec(files, batch_size, shuffle=False, seed=1, dtype="float32", tops=("row", "pair")):
    counts, shapes = inspect(files, tops)
    return BatchSpec(partial(HDF5Rows, files, counts, tops, shapes, dtype=dtype),
                     Epochs(sum(counts), shuffle, tuple(counts)), batch_size,
                     Random(seed, 0, "data"), dtype=dtype)


def raises(error):
    """Return a function that raises ``error``."""
    def fail(*_):
        raise error
    return fail


def read_rows(spec, rows, record=0):
    """Read batches from a record on; return the values of ``row`` as integers."""
    source, cursor, seen = spec.open(), {"record": record}, []
    while len(seen) < rows:
        batch = source.batch(cursor)
        assert batch.next_cursor == spec.next_cursor(cursor)
        np.testing.assert_array_equal(batch.arrays[1][:, 0], batch.arrays[0])
        np.testing.assert_array_equal(batch.arrays[1][:, 1], batch.arrays[0] + 0.5)
        seen += batch.arrays[0].astype(int).tolist()
        cursor = batch.next_cursor
    source.close()
    return seen[:rows]


@pytest.mark.parametrize("batch_size", [1, 4, 7, 12, 30])
def test_rows_are_consecutive_across_files_and_wrap(files, batch_size):
    assert read_rows(make_spec(files, batch_size), 36) == 3 * IN_ORDER


def test_shapes_and_types(files):
    spec = make_spec(files, 4, dtype="float64")
    assert spec.open().shapes() == [(4,), (4, 2)]
    assert [array.dtype for array in spec.open().batch({"record": 0}).arrays] == ["f8", "f8"]


@pytest.mark.parametrize("batch_size", [1, 5, 30])
def test_shuffling_permutes_each_epoch(files, batch_size):
    rows = read_rows(make_spec(files, batch_size, shuffle=True), 60)
    epochs = [rows[start:start + 12] for start in range(0, 60, 12)]
    assert all(sorted(epoch) == IN_ORDER for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 5
    # Rows of a file stay together; which file comes first changes.
    assert all(len(np.flatnonzero(np.diff(np.array(epoch) // 100))) == 2 for epoch in epochs)
    assert len({epoch[0] // 100 for epoch in epochs}) > 1


def test_shuffling_depends_on_the_seed_alone(files):
    rows = read_rows(make_spec(files, 5, shuffle=True), 60)
    assert read_rows(make_spec(files, 7, shuffle=True), 60) == rows
    assert read_rows(make_spec(files, 5, shuffle=True, seed=2), 60) != rows


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("record", [4, 11, 12, 29])
def test_any_cursor_can_be_gone_on_from(files, shuffle, record):
    spec = make_spec(files, 5, shuffle)
    assert read_rows(spec, 20, record) == read_rows(spec, 50)[record:record + 20]


@pytest.mark.parametrize("window", [0, 24, 48, 96])
@pytest.mark.parametrize("shuffle", [False, True])
def test_rows_do_not_depend_on_the_window(files, monkeypatch, window, shuffle):
    want = read_rows(make_spec(files, 2, shuffle), 40)
    monkeypatch.setattr(hdf5, "WINDOW", window)
    assert read_rows(make_spec(files, 2, shuffle), 40) == want
    assert read_rows(make_spec(files, 3, shuffle), 37, record=3) == want[3:40]


@pytest.fixture
def sizes_read(monkeypatch):
    """Return how many rows each call of HDF5 has read."""
    read: list[int] = []
    true = h5py.Dataset.read_direct

    def spy(dataset, out, *args):
        read.append(out.shape[0])
        true(dataset, out, *args)

    monkeypatch.setattr(h5py.Dataset, "read_direct", spy)
    monkeypatch.setattr(h5py.Dataset, "__getitem__", None)
    return read


def write_zeros(tmp_path, columns):
    path = str(tmp_path / "zeros.h5")
    with h5py.File(path, "w") as file:
        for name in ("row", "pair"):
            file.create_dataset(name, (10_000, columns), "f4")
    return path


@pytest.mark.parametrize("shuffle", [False, True])
def test_only_the_rows_of_a_batch_are_read(tmp_path, sizes_read, shuffle):
    make_spec([write_zeros(tmp_path, 10_000)], 8, shuffle).open().batch({"record": 40})
    assert sizes_read == [8, 8]


@pytest.mark.parametrize("shuffle", [False, True])
def test_small_rows_are_read_many_at_once(tmp_path, sizes_read, shuffle):
    source = make_spec([write_zeros(tmp_path, 2)], 8, shuffle).open()
    for batch in range(20):
        source.batch({"record": 8 * batch})
    assert sizes_read == [10_000, 10_000]


def test_a_window_that_could_not_be_read_holds_nothing(files, monkeypatch):
    source = make_spec(files[:1], 2).open()
    with monkeypatch.context() as patch:
        patch.setattr(h5py.Dataset, "read_direct", raises(OSError("damaged")))
        with pytest.raises(DataError, match="damaged"):
            source.batch({"record": 0})
    assert source.batch({"record": 0}).arrays[0].tolist() == [0, 1]


def test_one_file_is_open_at_a_time(files, monkeypatch):
    opened, true = [], hdf5.open_file

    def spy(path):
        assert not any(opened), "the file before is still open"
        opened.append(true(path))
        return opened[-1]

    monkeypatch.setattr(hdf5, "open_file", spy)
    spec = make_spec(files, 12)
    opened.clear()
    source = spec.open()
    source.batch({"record": 0})
    source.close()
    assert len(opened) == 3 and not any(opened)


def test_read_amplification(tmp_path):
    path = str(tmp_path / "a.h5")
    with h5py.File(path, "w") as file:
        file.create_dataset("flat", (100, 4, 4), "f4")
        file.create_dataset("rows", (100, 4, 4), "f4", chunks=(1, 4, 4))
        file.create_dataset("wide", (100, 4, 4), "f4", chunks=(50, 4, 4))
        file.create_dataset("split", (100, 4, 4), "f4", chunks=(20, 2, 4))
    factors = [read_amplification(path, name) for name in ("flat", "rows", "wide", "split")]
    assert factors == [1, 1, 50, 20]


def wrong_files(tmp_path):
    """Yield (file, what its error says) for files that are not like {row: (n,), pair: (n, 2)}."""
    def write(name, **datasets):
        path = str(tmp_path / name)
        with h5py.File(path, "w") as file:
            for key, value in datasets.items():
                file[key] = value
        return path

    row, pair = np.zeros(3), np.zeros((3, 2))
    yield write("missing.h5", row=row, other=row), r"no dataset 'pair' \(got 'other', 'row'\)"
    yield write("text.h5", row=row, pair=["a", "b", "c"]), "'pair' has the wrong type.*integers"
    yield write("bool.h5", row=row, pair=pair > 0), "'pair' has the wrong type"
    yield write("complex.h5", row=row, pair=pair * 1j), "'pair' has the wrong type"
    yield write("scalar.h5", row=row, pair=1.0), "'pair' has no axes"
    yield write("uneven.h5", row=row, pair=pair[:2]), r"row \(3,\), pair \(2, 2\)"
    yield write("empty.h5", row=row[:0], pair=pair[:0]), "no rows"
    group = write("group.h5", row=row)
    with h5py.File(group, "a") as file:
        file.create_group("pair")
    yield group, "no dataset 'pair'"
    yield str(tmp_path / "nowhere.h5"), "no such HDF5 file"
    yield str(tmp_path), "this is a folder"
    (tmp_path / "text.txt").write_text("not HDF5")
    yield str(tmp_path / "text.txt"), "not an HDF5 file"
    whole = (tmp_path / "missing.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[:len(whole) // 2])
    yield str(tmp_path / "cut.h5"), "truncated"


def test_wrong_files_are_named_and_explained(tmp_path):
    for path, message in wrong_files(tmp_path):
        with pytest.raises(DataError, match=message) as caught:
            inspect([path], ["row", "pair"])
        assert str(caught.value).startswith(path)


def test_row_shapes_must_agree_across_files(files, tmp_path):
    # The reference does not notice.
    other = str(tmp_path / "other.h5")
    with h5py.File(other, "w") as file:
        file["row"], file["pair"] = np.zeros(3), np.zeros((3, 5))
    with pytest.raises(DataError, match=r"other.h5.*pair \(5,\).*pair \(2,\) as in .*0.h5"):
        inspect([*files, other], ["row", "pair"])


def test_file_that_changes_later_is_named(files):
    spec = make_spec(files, 4)
    with h5py.File(files[1], "w") as file:
        file["row"], file["pair"] = np.zeros(1), np.zeros((1, 2))
    with pytest.raises(DataError, match=r"1\.h5: dataset 'row' changed its shape.*\(1,\).*\(3,\)"):
        spec.open().batch({"record": 4})


def test_damaged_rows_are_named(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("row", data=np.arange(64.0), chunks=(64,), compression="gzip")
        start, size = (getattr(file["row"].id.get_chunk_info(0), key)
                       for key in ("byte_offset", "size"))
    content = bytearray(path.read_bytes())
    content[start:start + size] = bytes(size)
    path.write_bytes(content)
    spec = make_spec([str(path)], 4, tops=["row"])
    with pytest.raises(DataError, match=r"a\.h5: rows of dataset 'row' cannot be read"):
        spec.open().batch({"record": 0})


@pytest.mark.parametrize("shuffle", [False, True])
def test_memory_does_not_grow_with_the_file(tmp_path, shuffle):
    rows, wide, path = 100_000, 50_000, str(tmp_path / "large.h5")
    with h5py.File(path, "w") as file:  # 20 GB, of which nothing is on the disk: all are zeros
        file.create_dataset("wide", (rows, wide), "f4")
    source = make_spec([path], 4, shuffle, tops=["wide"]).open()

    def read():
        for batch in range(3):
            source.batch({"record": 4 * batch})

    peak = peak_memory(read)
    source.close()
    # A batch, its copy in file order and the one before it; 8 bytes a row for their order.
    assert peak < 4 * (4 * wide * 4) + 4 * 8 * rows
