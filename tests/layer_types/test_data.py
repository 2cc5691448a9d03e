"""Data as a layer: recorded batches, order, wrapping, resuming, decoding, what is refused."""
from __future__ import annotations

import logging
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import DataError
from caffe_lrcn.layer_types.base import TEST, TRAIN, Settings
from caffe_lrcn.sources.datum import array_to_datum
from caffe_lrcn.sources.leveldb import LevelDbWriter
from tests.harness.layers import make_layer
from tests.sources.databases import encoded, pictures, write_lmdb
from tests.sources.test_leveldb import StandIn

GOLDEN = Path(__file__).parents[1] / "golden" / "data"
PICTURES = pictures(5)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a database of five raw pictures of 6 x 8 pixels."""
    write_lmdb(tmp_path / "db", PICTURES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def definition(data="batch_size: 3", transform="", tops=("data", "label"), source="db"):
    return (f'layer {{ name: "d" type: "Data" {" ".join(f"top: {top!r}" for top in tops)}\n'
            f'  transform_param {{ {transform} }}\n'
            f'  data_param {{ source: "{source}" backend: LMDB {data} }} }}')


def run(case, batches):
    seen = []
    for _ in range(batches):
        case.forward()
        seen.append([blob.host_data.copy() for blob in case.top])
    return [np.concatenate(arrays) for arrays in zip(*seen, strict=True)]


@pytest.mark.parametrize("name", ["lmdb_plain", "lmdb_crop_mean"])
@pytest.mark.parametrize("workers", [0, 1, 2])
def test_recorded_batches(name, workers, monkeypatch, build):
    monkeypatch.chdir(GOLDEN)
    with h5py.File("expected.h5") as file:
        case = build(file[name].attrs["prototxt"], phase=TEST, backend=get_backend("cpu"),
                     settings=Settings(workers=workers))
        for index in range(2):
            assert case.top[0].shape == file[f"{name}/{index}/data"].shape
            case.forward()
            np.testing.assert_array_equal(case.top[0].host_data, file[f"{name}/{index}/data"])
            np.testing.assert_array_equal(case.top[1].host_data, file[f"{name}/{index}/label"])


def test_a_gpu_gets_the_same_batches(folder, build, any_backend):
    case = build(definition(), backend=any_backend)
    case.forward()
    np.testing.assert_array_equal(case.top[0].host_data, PICTURES[:3])


@pytest.mark.parametrize("tops", [("data",), ("data", "label")])
def test_records_follow_the_keys_and_wrap(folder, build, tops):
    got = run(build(definition(tops=tops)), 5)
    np.testing.assert_array_equal(got[0], [PICTURES[index % 5] for index in range(15)])
    if len(tops) > 1:
        assert got[1].tolist() == [index % 5 for index in range(15)]


def test_wrapping_is_logged_each_time(folder, build, caplog):
    caplog.set_level(logging.INFO)
    case, wraps = build(definition(), settings=Settings(workers=1)), []
    for _ in range(5):
        case.forward()
        wraps.append(len(caplog.records))
        assert all(record.message == "Restarting data prefetching from start."
                   for record in caplog.records)
    assert wraps == [0, 1, 1, 2, 3]


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_any_number_of_workers_gives_the_same_bits(folder, build, workers):
    random = "mirror: true crop_size: 4"
    want = run(build(definition("batch_size: 1", random), phase=TRAIN), 18)
    got = run(build(definition(transform=random), phase=TRAIN,
                    settings=Settings(workers=workers)), 6)
    np.testing.assert_array_equal(got[0], want[0])
    assert got[1].tolist() == want[1].tolist()
    assert len({picture.tobytes() for picture in got[0]}) > 12


@pytest.mark.parametrize("used", [0, 1, 5])
@pytest.mark.parametrize("workers", [0, 2])
def test_resumes_at_a_saved_cursor(folder, build, used, workers):
    prototxt = definition(transform="mirror: true crop_size: 4")
    case = build(prototxt, phase=TRAIN)
    for _ in range(used):
        case.forward()
    state, rest = case.layer.state(), run(case, 4)
    assert state == {"record": 3 * used % 5, "epoch": 3 * used // 5}
    other = build(prototxt, phase=TRAIN, settings=Settings(workers=workers))
    run(other, 2)
    other.layer.restore(state)
    for got, want in zip(run(other, 4), rest, strict=True):
        np.testing.assert_array_equal(got, want)


def test_batches_larger_than_the_database(folder, build):
    got = run(build(definition("batch_size: 12")), 2)
    assert got[1].tolist() == [index % 5 for index in range(24)]


def test_raw_floats_and_a_mean_picture(tmp_path, monkeypatch, build):
    monkeypatch.chdir(tmp_path)
    values = [np.random.default_rng(index).normal(size=(3, 32, 40)) for index in range(2)]
    write_lmdb("db", values)
    mean_file = f'mean_file: "{GOLDEN}/mean.binaryproto"'
    plain = run(build(definition("batch_size: 2")), 1)[0]
    np.testing.assert_array_equal(plain, np.float32(values))
    from caffe_lrcn.layer_types.common.transformation import read_mean

    mean = read_mean(str(GOLDEN / "mean.binaryproto"))
    got = run(build(definition("batch_size: 2", f"{mean_file} scale: 2 crop_size: 30")), 1)[0]
    np.testing.assert_array_equal(got, ((plain - mean) * 2)[:, :, 1:31, 5:35])


@pytest.mark.parametrize("transform, channels", [
    ("", [3, 1]), ("force_color: true", [3, 3]), ("force_gray: true", [1, 1])])
def test_encoded_pictures_take_the_channels_asked_for(tmp_path, monkeypatch, build, transform,
                                                       channels, caplog):
    monkeypatch.chdir(tmp_path)
    grey = PICTURES[1][:1]
    write_lmdb("db", [encoded(PICTURES[0], 4), encoded(grey, -5)])
    case = build(definition("batch_size: 1", transform))
    for index, count in enumerate(channels):
        case.forward()
        assert case.top[0].shape == (1, count, 6, 8)
        assert case.top[1].host_data.tolist() == [[4, -5][index]]
        want = [PICTURES[0], grey][index]
        if count == len(want) or index:
            np.testing.assert_array_equal(case.top[0].host_data[0],
                                          np.broadcast_to(want, (count, 6, 8)))
    assert not caplog.records


def test_forcing_channels_of_raw_pictures_is_an_error_in_the_log(folder, build, caplog):
    got = run(build(definition(transform="force_gray: true")), 1)
    np.testing.assert_array_equal(got[0], PICTURES[:3])
    assert "no effect on raw pictures" in caplog.text
    assert caplog.records[0].levelname == "ERROR"


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("form", ["raw", "encoded"])
def test_flow_is_inverted_where_mirrored(tmp_path, monkeypatch, build, strict, form):
    # CAFFE-QUIRK: with strict, in raw records alone.
    monkeypatch.chdir(tmp_path)
    write_lmdb("db", PICTURES if form == "raw" else [encoded(each) for each in PICTURES])
    settings = Settings(strict=strict)
    plain = run(build(definition("batch_size: 20", "mirror: true")), 1)[0]
    flow = run(build(definition("batch_size: 20", "mirror: true flow: true"),
                     settings=settings), 1)[0]
    mirrored = np.array([(picture != PICTURES[index % 5]).any()
                         for index, picture in enumerate(plain)])
    assert 0 < mirrored.sum() < 20
    if form == "raw" or not strict:
        plain[mirrored, 2] = 255 - plain[mirrored, 2]
    np.testing.assert_array_equal(flow, plain)


def test_tops_follow_the_size_of_each_batch(tmp_path, monkeypatch, build):
    monkeypatch.chdir(tmp_path)
    other = pictures(2, (1, 4, 5))
    write_lmdb("db", [*PICTURES[:2], *other])
    case = build(definition("batch_size: 2"))
    for want in (PICTURES[:2], other, PICTURES[:2]):
        case.forward()
        np.testing.assert_array_equal(case.top[0].host_data, want)
    case = build(definition("batch_size: 3"), settings=Settings(workers=1))
    with pytest.raises(DataError, match=r"db: record '00000002': the picture has another size.*"
                                        r"got \(1, 4, 5\), wanted \(3, 6, 8\) .*record '00000000'"):
        case.forward()


def test_crops_of_one_size_may_come_from_pictures_of_several(tmp_path, monkeypatch, build):
    monkeypatch.chdir(tmp_path)
    write_lmdb("db", [PICTURES[0], pictures(1, (3, 5, 9))[0]])
    assert run(build(definition("batch_size: 2", "crop_size: 4")), 1)[0].shape == (2, 3, 4, 4)


def test_how_far_ahead_is_the_definition_s_choice(folder, build):
    assert build(definition("batch_size: 1 prefetch: 7")).layer.depth() == 7
    assert build(definition("batch_size: 1"), settings=Settings(prefetch=2)).layer.depth() == 2


@pytest.mark.parametrize("data, field", [
    ("rand_skip: 3", "rand_skip"), ("force_encoded_color: true", "force_encoded_color"),
    ("scale: 2", "scale"), ("mirror: true", "mirror"), ("crop_size: 2", "crop_size"),
    ('mean_file: "m"', "mean_file")])
def test_fields_without_effect_are_warned_about(folder, build, caplog, data, field):
    # CAFFE-QUIRK
    got = run(build(definition(f"batch_size: 3 {data}")), 1)
    assert f"test.prototxt:3:57: layer 'd': {field} has no effect in data_param" in caplog.text
    np.testing.assert_array_equal(got[0], PICTURES[:3])


def test_no_warning_for_a_plain_definition(folder, build, caplog):
    run(build(definition(transform="crop_size: 2 mirror: true")), 1)
    assert not caplog.records


@pytest.mark.parametrize("data, transform, source, message", [
    ("batch_size: 0", "", "db", "at least one picture"), ("", "", "db", "at least one picture"),
    ("batch_size: 1", "", "", "layer 'd': no source is given"),
    ("batch_size: 1", "", "none", "none: layer 'd': there is no LMDB database.*backend: LEVELDB"),
    ("batch_size: 1 backend: LEVELDB", "", "db", "there is no LevelDB database.*backend: LMDB"),
    ("batch_size: 1", "force_color: true force_gray: true", "db", "2:39: .*both given"),
    ("batch_size: 1", "crop_size: 7", "db",
     "record '00000000': layer 'd': the picture is smaller than"),
    ("batch_size: 1", "mean_value: 1 mean_value: 2", "db", "mean values do not fit")])
def test_wrong_definitions(folder, data, transform, source, message):
    prototxt = definition(data, transform, source=source)
    if "LEVELDB" in data:
        prototxt = prototxt.replace("backend: LMDB", "")
    with pytest.raises(DataError, match=message):
        make_layer(prototxt, [])


def test_an_empty_database(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_lmdb("db", [])
    with pytest.raises(DataError, match="db: layer 'd': the database has no records"):
        make_layer(definition(), [])


@pytest.mark.parametrize("bad, message", [
    (b"\xff\xff", "this is not a Datum"),
    (array_to_datum(PICTURES[0]).SerializeToString()[:-20], "this is not a Datum"),
    (encoded(PICTURES[0]).SerializeToString().replace(b"IDAT", b"JDAT"), "cannot be decoded")])
@pytest.mark.parametrize("workers", [0, 1])
def test_damaged_records_are_named_when_due(tmp_path, monkeypatch, build, bad, message, workers):
    monkeypatch.chdir(tmp_path)
    write_lmdb("db", [*PICTURES[:2], bad])
    case = build(definition("batch_size: 2"), settings=Settings(workers=workers))
    run(case, 1)
    with pytest.raises(DataError, match=f"db: record '00000002': .*{message}"):
        case.forward()


def test_databases_are_found_beside_the_definition(folder, build, monkeypatch, backend):
    from caffe_lrcn.net.net import Net
    from caffe_lrcn.proto.text import read_net

    (folder / "nets").mkdir()
    shutil.move("db", "nets/db")
    (folder / "nets" / "net.prototxt").write_text(definition())
    net = Net(read_net("nets/net.prototxt"), backend, phase=TEST)
    net.forward()
    np.testing.assert_array_equal(net.blobs["data"].host_data, PICTURES[:3])
    net.close()


@pytest.mark.parametrize("package", ["stand-in", "plyvel"])
def test_leveldb(tmp_path, monkeypatch, build, package, caplog):
    if package == "stand-in":
        monkeypatch.setitem(sys.modules, "plyvel", SimpleNamespace(DB=StandIn, Error=ValueError))
        values = [array_to_datum(np.full((1, 2, 3), 5.0 + i), i) for i in range(5)]
        for datum in values:  # the stand-in keeps text
            datum.ClearField("float_data")
            datum.data = b"%d" % datum.label * 6
    else:
        pytest.importorskip("plyvel")
        values = [array_to_datum(np.full((1, 2, 3), 48 + i, np.uint8), i) for i in range(5)]
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.INFO)
    writer = LevelDbWriter("db")
    for datum in values:
        writer.put(b"%d" % datum.label, datum.SerializeToString())
    writer.close()
    prototxt = definition(transform="mirror: true").replace("backend: LMDB", "")
    case = build(prototxt, settings=Settings(workers=2))
    assert case.layer.workers() == 0
    data, labels = run(case, 4)
    assert labels.tolist() == [index % 5 for index in range(12)]
    np.testing.assert_array_equal(data[:, 0, 0, 0], 48 + labels)
    assert caplog.text.count("Restarting data prefetching from start.") == 2
    state, rest = case.layer.state(), run(case, 2)
    case.layer.close()
    other = build(prototxt)
    other.layer.restore(state)
    np.testing.assert_array_equal(run(other, 2)[1], rest[1])
