"""LevelDB: with the real package where it is installed, and with a stand-in everywhere."""
from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import DataError
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto.caffe_pb2 import Datum
from caffe_lrcn.proto.text import parse_net
from caffe_lrcn.solver.data_files import Watched, compare, data_facts
from caffe_lrcn.sources.leveldb import LevelDbReader, LevelDbWriter

RECORDS = [(b"%04d" % index, b"value %d" % index) for index in range(50)]


class StandIn:
    """Keeps a sorted table in a file, with plyvel's names."""

    def __init__(self, path, create_if_missing, error_if_exists=False, **options):
        assert options == {"block_size": 1 << 16, "write_buffer_size": 1 << 28,
                           "max_open_files": 100}
        self.file = Path(path) / "CURRENT"
        if error_if_exists:
            self.file.parent.mkdir()
            self.file.write_text("{}")
        if self.file.read_text() == "damaged":
            raise OSError("Corruption: no such record")
        self.table = json.loads(self.file.read_text())

    def iterator(self, fill_cache, reverse=False):
        for key in sorted(self.table, reverse=reverse):
            if self.table[key] == "damaged":
                raise OSError("Corruption: block checksum mismatch")
            yield key.encode(), self.table[key].encode()

    def write_batch(self):
        pending = {}
        return SimpleNamespace(
            put=lambda key, value: pending.update({key.decode(): value.decode()}),
            write=lambda: self.table.update(pending), clear=pending.clear)

    def close(self):
        self.file.write_text(json.dumps(self.table))


@pytest.fixture(params=["stand-in", "plyvel"])
def package(request, monkeypatch):
    """The package that is there, or one that looks like it."""
    if request.param == "stand-in":
        monkeypatch.setitem(sys.modules, "plyvel", SimpleNamespace(DB=StandIn, Error=ValueError))
    elif not importlib.util.find_spec("plyvel"):
        pytest.skip("plyvel is not installed")
    return request.param


def write(path, records):
    writer = LevelDbWriter(str(path))
    for index, (key, value) in enumerate(records):
        writer.put(key, value)
        if index % 20 == 0:
            writer.commit()
    writer.close()
    return str(path)


def test_records_in_order_and_the_end(tmp_path, package):
    reader = LevelDbReader(write(tmp_path / "db", RECORDS[::-1]))
    assert reader.count is None
    assert [reader.find(index) for index in range(50)] == RECORDS
    assert reader.find(50) is None and reader.count == 50
    assert reader.find(0) == RECORDS[0]
    assert reader.find(60) is None
    assert [reader.find(index) for index in (20, 40, 41, 3, 49)] == [
        RECORDS[index] for index in (20, 40, 41, 3, 49)]
    reader.close()
    LevelDbReader(reader.path).close()


def test_an_index_far_past_the_end_counts_the_records(tmp_path, package):
    reader = LevelDbReader(write(tmp_path / "db", RECORDS))
    assert reader.find(1000) is None and reader.count == 50
    reader.close()


def test_a_new_database_must_not_exist(tmp_path, package):
    write(tmp_path / "db", [])
    with pytest.raises(DataError, match="exists already"):
        LevelDbWriter(str(tmp_path / "db"))


def test_no_database(tmp_path, package):
    with pytest.raises(DataError, match="there is no LevelDB database.*backend: LMDB"):
        LevelDbReader(str(tmp_path))


def test_damaged_databases(tmp_path, package):
    (tmp_path / "CURRENT").write_text("damaged")
    with pytest.raises(DataError, match="cannot be opened"):
        LevelDbReader(str(tmp_path))


def test_damaged_records(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "plyvel", SimpleNamespace(DB=StandIn, Error=ValueError))
    reader = LevelDbReader(write(tmp_path / "db", [(b"1", b"one"), (b"2", b"damaged")]))
    assert reader.find(0) == (b"1", b"one")
    with pytest.raises(DataError, match="it may be damaged .got Corruption: block checksum"):
        reader.find(1)


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "plyvel", None)
    (tmp_path / "CURRENT").write_text("")
    with pytest.raises(DataError, match=r"needs the package plyvel.*'.\[leveldb\]'"):
        LevelDbReader(str(tmp_path))


def test_an_iterator_that_cannot_be_made(tmp_path, monkeypatch):
    def broken(self, fill_cache):
        raise KeyError("Corruption: not an sstable")

    monkeypatch.setitem(sys.modules, "plyvel", SimpleNamespace(DB=StandIn, Error=ValueError))
    reader = LevelDbReader(write(tmp_path / "db", RECORDS))
    monkeypatch.setattr(StandIn, "iterator", broken)
    for _ in range(2):  # that it failed once is not taken for the end of the data
        with pytest.raises(DataError, match="may be damaged.*not an sstable"):
            reader.find(0)
    assert reader.count is None


@pytest.mark.skipif(not importlib.util.find_spec("plyvel"), reason="plyvel is not installed")
def test_flipped_bytes(tmp_path):
    whole, rng = write(tmp_path / "whole", RECORDS), np.random.default_rng(2)
    LevelDbReader(whole).close()  # makes a table of the log
    for number in range(150):
        folder = shutil.copytree(whole, tmp_path / f"db{number}")
        files = [path for path in sorted(folder.iterdir()) if path.stat().st_size]
        file = files[rng.integers(0, len(files))]
        content = bytearray(file.read_bytes())
        for place in rng.integers(0, len(content), rng.integers(1, 4)):
            content[place] = rng.integers(0, 256)
        file.write_bytes(content[:rng.integers(0, len(content))] if number % 5 == 0 else content)
        with suppress(DataError):
            reader = LevelDbReader(str(folder))
            try:
                for index in range(len(RECORDS) + 1):
                    reader.find(index)
            finally:
                reader.close()


def test_opening_a_database_is_no_change_of_it(tmp_path, package, caplog):
    """LevelDB writes a new CURRENT each time."""
    def records(last):
        return [(b"%d" % index, Datum(channels=1, height=1, width=2, data=b"ab", label=index)
                 .SerializeToString()) for index in (1, 2, last)]
    path = write(tmp_path / "db", records(3))
    net = Net(parse_net(f'layer {{ name: "d" type: "Data" top: "d" data_param {{ source: "{path}" '
                        'backend: LEVELDB batch_size: 1 } }'), get_backend("cpu"), phase=0)
    before = data_facts([net])
    watched = Watched([path])
    net.forward()
    net.close()
    watched.look()
    compare(before, data_facts([net]), "s")
    assert before[path] and not caplog.text
    shutil.rmtree(path)
    write(tmp_path / "db", records(4))
    watched.look()
    assert "was replaced" in caplog.text
    compare(before, data_facts([net]), "s")
    assert "has changed since the snapshot" in caplog.text
