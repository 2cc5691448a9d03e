"""Data that change between a snapshot and its resuming, or while a training reads them."""
from __future__ import annotations

import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import SnapshotError
from caffe_lrcn.proto.text import read_solver
from caffe_lrcn.proto.weights_io import find_vocabulary
from caffe_lrcn.solver.data_files import Watched, compare, data_facts, one_vocabulary
from caffe_lrcn.solver.solver import Solver
from caffe_lrcn.sources.lmdb_write import LmdbWriter

from .tiny import make_task


@pytest.fixture
def task(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_task(tmp_path)


def run(task: Path, last: int, resume: str | None = None) -> None:
    definition = read_solver(task)
    definition.param.max_iter = last
    solver = Solver(definition)
    try:
        solver.solve(resume)
    finally:
        solver.close()


def test_nothing_is_said_of_unchanged_data(task, caplog):
    run(task, 5)
    os.utime("pictures.txt", (1, 1))
    run(task, 6, "latest")
    assert "changed" not in caplog.text and "comes from a run" not in caplog.text


def test_a_shorter_list_is_refused(task):
    run(task, 5)
    lines = Path("pictures.txt").read_text().splitlines(keepends=True)
    Path("pictures.txt").write_text("".join(lines[:-1]))
    with pytest.raises(SnapshotError, match=r"pictures.txt: the data became.*got 6.*wanted 7"):
        run(task, 6, "latest")


def swap_lines() -> None:
    lines = Path("pictures.txt").read_text().splitlines(keepends=True)
    Path("pictures.txt").write_text("".join(reversed(lines)))


def change_rows() -> None:
    with h5py.File("words1.h5", "r+") as file:
        file["input"][0, 0] = 6 - file["input"][0, 0]


@pytest.mark.parametrize(("change", "name"), [(swap_lines, "pictures.txt"),
                                              (change_rows, "words1.h5")])
def test_a_change_is_named(task, caplog, change, name):
    run(task, 5)
    change()
    run(task, 6, "latest")
    assert f"{name} has changed since the snapshot was taken" in caplog.text


def test_a_list_that_is_no_longer_read(task, caplog):
    net = Path("tiny.prototxt")
    shutil.copy("pictures.txt", "others.txt")
    run(task, 5)
    net.write_text(net.read_text().replace('"pictures.txt"', '"others.txt"'))
    run(task, 6, "latest")
    assert "comes from a run that read pictures.txt" in caplog.text


def test_databases_tell_their_keys(tmp_path, monkeypatch, caplog):
    from caffe_lrcn.backends import get_backend
    from caffe_lrcn.net.net import Net
    from caffe_lrcn.proto.caffe_pb2 import Datum
    from caffe_lrcn.proto.text import parse_net
    monkeypatch.chdir(tmp_path)

    def write(keys):
        shutil.rmtree("db", ignore_errors=True)
        database = LmdbWriter("db")
        for key in keys:
            database.put(key, Datum(channels=1, height=2, width=2,
                                    data=bytes(4)).SerializeToString())
        database.commit()
        database.close()
    write([b"a", b"b", b"c"])
    definition = ('layer { name: "d" type: "Data" top: "d" data_param { source: "db" '
                  'backend: LMDB batch_size: 1 } }')
    net = Net(parse_net(definition), get_backend("cpu"), phase=0)
    before = data_facts([net])
    assert before["db"]["records"] == 3 and bytes.fromhex(before["db"]["last"]) == b"c"
    watched = Watched(list(before))
    watched.look()
    assert not caplog.text
    write([b"a", b"b", b"d"])
    watched.look()
    watched.look()
    assert caplog.text.count("db was replaced or changed while the training reads it") == 1
    compare(before, data_facts([net]), "s")
    assert "db has changed" in caplog.text
    write([b"a"])
    with pytest.raises(SnapshotError, match="fewer"):
        compare(before, data_facts([net]), "s")
    net.close()


def test_large_files_are_sampled(tmp_path):
    from caffe_lrcn.solver import data_files
    path = tmp_path / "large"
    np.zeros(3 << 20, np.float32).tofile(path)
    before = data_files._sampled(str(path))
    with open(path, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")
    assert data_files._sampled(str(path)) != before


def test_streams_of_two_vocabularies(caplog):
    same = {"a": {"vocabulary_sha256": "1"}, "b": {"vocabulary_sha256": "1"}, "c": {}}
    assert one_vocabulary(same) == "1" and one_vocabulary({"c": {}}) == ""
    assert not caplog.text
    assert one_vocabulary(same | {"d": {"vocabulary_sha256": "2"}}) == ""
    assert "a and d are those of different vocabularies" in caplog.text


@pytest.mark.parametrize(("form", "ending"), [("BINARYPROTO", ""), ("HDF5", ".h5")])
def test_weights_carry_the_vocabulary_of_the_streams(task, form, ending):
    words = ["train", "--solver", str(task), "--set", f"snapshot_format={form}",
             "--set", "max_iter=1", "--force"]
    assert main(words) == 0
    assert find_vocabulary(f"out/tiny_iter_1.caffemodel{ending}") == ""
    plain = len(Path(f"out/tiny_iter_1.caffemodel{ending}").read_bytes())
    for path in task.parent.glob("*.h5"):
        with h5py.File(path, "a") as file:
            file.attrs["vocabulary_sha256"], file.attrs["vocabulary_ids"] = "a" * 64, 5
    assert main(words) == 0
    weights = f"out/tiny_iter_1.caffemodel{ending}"
    assert find_vocabulary(weights) == "a" * 64
    if not ending:  # what BVLC Caffe reads is the same, and a field that it keeps and does not know
        assert len(Path(weights).read_bytes()) == plain + 64 + 4
