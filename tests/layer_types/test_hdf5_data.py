"""HDF5Data as a layer: definition, paths, cursor, warnings."""
from __future__ import annotations

import threading

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


def run(case, batches):
    """Return the rows of consecutive forward passes; ``wide`` must go along."""
    seen = []
    for _ in range(batches):
        case.forward()
        rows, wide = (blob.host_data.copy() for blob in case.top)
        np.testing.assert_array_equal(wide, np.outer(rows, [1, 10, 100]))
        seen += rows.astype(int).tolist()
    return seen


def test_small_batches_are_read_without_a_thread(folder, build):
    threads = threading.active_count()
    run(build(definition()), 3)
    assert threading.active_count() == threads
    with h5py.File(folder / "large.h5", "w") as file:
        file["row"], file["wide"] = np.zeros(4), np.zeros((4, 100_000))
    (folder / "large.txt").write_text("large.h5\n")
    large = build(definition(source="large.txt"))
    large.forward()
    assert threading.active_count() == threads + 1


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


@pytest.mark.parametrize("size, more, message", [
    (3, "transform_param { scale: 2 }", "test.prototxt:1:59: layer 'd': transform_param is for "
                                        "datasets of pictures, and there are none"),
    (0, "", "batch_size 0")])
def test_wrong_definitions(folder, size, more, message):
    with pytest.raises(DataError, match=message):
        make_layer(definition(size, more), [])


def test_source_must_be_given(folder):
    with pytest.raises((DataError, PrototxtError), match="layer 'd': no source is given"):
        make_layer('layer { name: "d" type: "HDF5Data" top: "row" }', [])


def test_wrong_files_are_named(folder):
    (folder / "list.txt").write_text("0.h5 none.h5")
    with pytest.raises(DataError, match="none.h5: layer 'd': there is no such HDF5 file"):
        make_layer(definition(), [])
    with pytest.raises(DataError, match="0.h5: layer 'd': the file has no dataset 'cont'.*"
                                        "'row', 'wide'"):
        make_layer(definition().replace('top: "wide"', 'top: "cont"'), [])
    with pytest.raises(DataError, match="nowhere.txt: layer 'd': cannot read the list"):
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


PICTURES = np.random.default_rng(3).integers(0, 256, (5, 3, 6, 8)).astype(np.float32)


def transformed(transform, batch_size=3):
    return (f'layer {{ name: "d" type: "HDF5Data" top: "a" top: "b" top: "row"\n'
            f'  transform_param {{ {transform} }}\n'
            f'  hdf5_data_param {{ source: "pictures.txt" batch_size: {batch_size} }} }}')


@pytest.fixture
def pictures(folder):
    """Two datasets of pictures, ``b`` the negative of ``a``, and one of numbers."""
    with h5py.File("pictures.h5", "w") as file:
        file["a"], file["b"], file["row"] = PICTURES, 255 - PICTURES, np.arange(5)
    (folder / "pictures.txt").write_text("pictures.h5")
    return folder


def batches(case, count):
    seen = []
    for _ in range(count):
        case.forward()
        seen.append([blob.host_data.copy() for blob in case.top])
    return [np.concatenate(arrays) for arrays in zip(*seen, strict=True)]


def test_pictures_are_cropped_and_normalised(pictures, build):
    case = build(transformed("crop_size: 4 scale: 0.5 mean_value: 1 mean_value: 2 mean_value: 3"))
    assert [blob.shape for blob in case.top] == [(3, 3, 4, 4), (3, 3, 4, 4), (3,)]
    a, _, rows = batches(case, 2)
    want = (PICTURES[:, :, 1:5, 2:6] - np.float32([1, 2, 3])[:, None, None]) / 2
    np.testing.assert_array_equal(a, want[[0, 1, 2, 3, 4, 0]])
    assert rows.tolist() == [0, 1, 2, 3, 4, 0]


def test_pictures_of_a_row_are_mirrored_and_cropped_alike(pictures, build):
    random = "mirror: true crop_size: 4"
    a, b, _ = batches(build(transformed(random), phase=TRAIN), 10)
    np.testing.assert_array_equal(a + b, np.full_like(a, 255))
    assert len({crop.tobytes() for crop in a}) > 15
    one, _, _ = batches(build(transformed(random, 1), phase=TRAIN), 30)
    np.testing.assert_array_equal(one, a)
    case = build(transformed(random), phase=TRAIN)
    case.layer.restore({"record": 6})
    np.testing.assert_array_equal(batches(case, 2)[0], a[6:12])


@pytest.mark.parametrize("transform, message", [
    ("crop_size: 7", "test.prototxt:2:3: layer 'd': dataset 'a': the picture is smaller than"),
    ("mean_value: 1 mean_value: 2", "dataset 'a': the mean values do not fit the picture")])
def test_transforms_that_do_not_fit(pictures, transform, message):
    with pytest.raises(DataError, match=message):
        make_layer(transformed(transform), [])


def test_forced_decoding_has_no_effect_on_rows(pictures, build, caplog):
    build(transformed("force_color: true"))
    assert "force_color has no effect in transform_param; rows are as they" in caplog.text


@pytest.mark.parametrize("content, message", [
    ("0.h5\n\n1.h5 no.h5\n", r"no.h5: .*no such HDF5 file \(named at list.txt:3\)"),
    ("sub\n", r"sub: .*this is a folder, not an HDF5 file \(named at list.txt:1\)")])
def test_bad_files_name_the_line_of_the_list(folder, build, content, message):
    (folder / "list.txt").write_text(content)
    (folder / "sub").mkdir()
    with pytest.raises(DataError, match=message):
        build(definition())


def test_a_missing_list_names_the_layer_that_wants_it(folder):
    (folder / "net.prototxt").write_text(definition(source="none.txt"))
    with pytest.raises(DataError, match=r"^none.txt: layer 'd': cannot read the list file "
                                        r"\(the layer is at net.prototxt:1:1\)"):
        Net(read_net("net.prototxt"), get_backend("cpu"), phase=TRAIN, seed=1)
    (folder / "net.prototxt").write_text(definition(source="."))
    with pytest.raises(DataError, match="this is a folder, not a list"):
        Net(read_net("net.prototxt"), get_backend("cpu"), phase=TRAIN, seed=1)
