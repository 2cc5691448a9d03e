"""LMDB: records in order from trees of all shapes, growing maps, what is refused."""
from __future__ import annotations

import os
import random
import sys

import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.sources.lmdb_read import LmdbFile
from caffe_lrcn.sources.lmdb_write import LmdbWriter
from tests.sources.databases import write_lmdb


def read_all(path):
    file = LmdbFile(path)
    records = [file.find(index) for index in range(file.count)]
    assert file.find(file.count) is None
    file.close()
    return records


def write(path, records, **options):
    writer = LmdbWriter(str(path), **options)
    for key, value in records:
        writer.put(key, value)
    writer.close()
    return str(path)


@pytest.mark.parametrize("count", [0, 1, 2, 40, 3000])
def test_records_come_back_in_the_order_of_keys(tmp_path, count):
    rng = random.Random(count)
    # Sizes around the limits of what stays inside of a page, and of one overflow page.
    sizes = [0, 1, 700, 2000, 2030, 2040, 4070, 4080, 4090, 9000]
    records = [(b"%05d_%s" % (index, b"k" * rng.randrange(90)),
                bytes([index % 251]) * rng.choice(sizes)) for index in range(count)]
    shuffled = rng.sample(records, count)
    assert read_all(write(tmp_path / "db", shuffled)) == records


def test_records_are_found_in_any_order(tmp_path):
    records = [(b"%05d" % index, b"%d" % index * 100) for index in range(500)]
    file = LmdbFile(write(tmp_path / "db", records))
    for index in [499, 0, 250, 251, 100, 499]:
        assert file.find(index) == records[index]
    file.close()


def test_changed_and_deleted_records(tmp_path):
    import lmdb

    path = write(tmp_path / "db", [(b"%04d" % index, b"old" * 300) for index in range(400)])
    with lmdb.open(path, map_size=1 << 24) as environment:
        for start in (0, 100, 200):
            with environment.begin(write=True) as transaction:
                for index in range(start, start + 100, 3):
                    transaction.delete(b"%04d" % index)
                    transaction.put(b"%04d" % (index + 1), b"new" * 900)
        with environment.begin() as transaction:
            want = list(transaction.cursor())
    assert read_all(path) == want


def test_the_data_file_may_be_named_itself(tmp_path):
    path = write(tmp_path / "db", [(b"k", b"v")])
    assert read_all(os.path.join(path, "data.mdb")) == [(b"k", b"v")]


def test_reading_needs_no_permission_to_write(tmp_path):
    path = write(tmp_path / "db", [(b"k", b"v")])
    os.remove(os.path.join(path, "lock.mdb"))
    os.chmod(os.path.join(path, "data.mdb"), 0o444)
    os.chmod(path, 0o555)
    try:
        assert read_all(path) == [(b"k", b"v")]
        assert os.listdir(path) == ["data.mdb"]
    finally:
        os.chmod(path, 0o755)


def test_the_map_grows(tmp_path):
    records = [(b"%04d" % index, os.urandom(5000)) for index in range(100)]
    writer = LmdbWriter(str(tmp_path / "db"), map_bytes=1 << 15)
    for index, (key, value) in enumerate(records):
        writer.put(key, value)
        if index % 30 == 29:
            writer.commit()
    writer.close()
    assert read_all(str(tmp_path / "db")) == records


def test_records_are_there_after_a_commit(tmp_path):
    writer = LmdbWriter(str(tmp_path / "db"))
    writer.put(b"1", b"one")
    writer.commit()
    writer.put(b"2", b"two")
    assert read_all(str(tmp_path / "db")) == [(b"1", b"one")]
    writer.close()
    assert len(read_all(str(tmp_path / "db"))) == 2


def test_a_new_database_must_not_exist(tmp_path):
    for name in ("folder", "file"):
        path = tmp_path / name
        path.mkdir() if name == "folder" else path.write_text("")
        with pytest.raises(DataError, match=f"{name}: the database exists already"):
            LmdbWriter(str(path))
    with pytest.raises(DataError, match="the database cannot be written: No such file"):
        LmdbWriter(str(tmp_path / "none" / "db"))


def test_a_new_database_s_folder_has_caffe_s_mode(tmp_path):
    write(tmp_path / "db", [])
    assert os.stat(tmp_path / "db").st_mode & 0o777 == 0o744 & ~_umask()


@pytest.mark.parametrize("key", [b"", b"k" * 512])
def test_keys_have_a_length(tmp_path, key):
    writer = LmdbWriter(str(tmp_path / "db"))
    with pytest.raises(DataError, match=f"got {len(key)} bytes, wanted 1 to 511"):
        writer.put(key, b"v")
    writer.put(b"k" * 511, b"v")
    writer.close()
    assert read_all(str(tmp_path / "db")) == [(b"k" * 511, b"v")]


def test_writing_without_the_package_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(DataError, match=r"needs the package lmdb.*'.\[lmdb\]'"):
        LmdbWriter(str(tmp_path / "db"))
    assert not (tmp_path / "db").exists()


@pytest.mark.parametrize("content, message", [
    (None, "there is no LMDB database"), (b"", "this is not an LMDB database .got 0 bytes"),
    (b"\0" * 8192, "this is not an LMDB database"),
    (b"text " * 2000, "this is not an LMDB database")])
def test_what_is_not_a_database(tmp_path, content, message):
    if content is not None:
        (tmp_path / "data.mdb").write_bytes(content)
    with pytest.raises(DataError, match=f"data.mdb: {message}"):
        LmdbFile(str(tmp_path))


def test_truncated_files_are_refused_when_the_missing_part_is_due(tmp_path):
    records = [(b"%03d" % index, bytes([index]) * 3000) for index in range(60)]
    path = os.path.join(write(tmp_path / "db", records), "data.mdb")
    with open(path, "rb") as file:
        content = file.read()
    refused = 0
    for size in range(0, len(content), 4096):
        with open(path, "wb") as file:
            file.write(content[:size])
        try:
            assert read_all(path) == records
        except DataError as error:
            assert "damaged or truncated" in str(error) or size < 4096
            refused += 1
    assert refused > 50


def test_a_tree_that_contains_itself_is_refused(tmp_path):
    path = os.path.join(write_lmdb(tmp_path / "db", [b"x" * 1000] * 100), "data.mdb")
    with open(path, "rb+") as file:
        content = file.read()
        root = min(int.from_bytes(content[at + 128:at + 136], "little") for at in (0, 4096))
        page = bytearray(content[4096 * root:4096 * root + 4096])
        node = int.from_bytes(page[16:18], "little")
        page[node:node + 4] = root.to_bytes(4, "little")
        file.seek(4096 * root)
        file.write(page)
    with pytest.raises(DataError, match="is not what the tree says"):
        read_all(path)


@pytest.mark.parametrize("options", [{"dupsort": True}, {}])
def test_tables_and_duplicates_are_refused(tmp_path, options):
    import lmdb

    with lmdb.open(str(tmp_path / "db"), max_dbs=1) as environment:
        environment.open_db(b"table", **options)
    with pytest.raises(DataError, match="tables or duplicates.*wanted records of key and Datum"):
        read_all(str(tmp_path / "db"))


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
