"""``inspect`` of what nets read: databases, HDF5 data, lists; and what it says of other files."""
from __future__ import annotations

import h5py
import numpy as np
import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.sources.datum import array_to_datum
from caffe_lrcn.sources.leveldb import LevelDbWriter
from caffe_lrcn.sources.lmdb_write import LmdbWriter


def shown(path, capsys, code: int = 0) -> str:
    """Return what inspect prints of a file, to either stream."""
    assert main(["inspect", str(path)]) == code
    output = capsys.readouterr()
    return output.out + output.err


@pytest.mark.parametrize("package, kind, writer", [("lmdb", "LMDB", LmdbWriter),
                                                   ("plyvel", "LevelDB", LevelDbWriter)])
def test_a_database(tmp_path, capsys, package, kind, writer):
    pytest.importorskip(package)
    database = writer(str(tmp_path / "db"))
    for number in range(3):
        key = f"{number:08d}_x"
        datum = array_to_datum(np.zeros((3, 4, 5), np.uint8), 7)
        database.put(key.encode(), datum.SerializeToString())
    database.close()
    text = shown(tmp_path / "db", capsys)
    assert f"{kind} database" in text and "00000000_x" in text
    assert "3 x 4 x 5 bytes" in text and "first label" in text
    if package == "lmdb":
        assert "3 x 4 x 5 bytes" in shown(tmp_path / "db" / "data.mdb", capsys)


def test_hdf5_data(tmp_path, capsys):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["cont"] = np.ones((20, 2), np.int8)
    text = shown(tmp_path / "x.h5", capsys)
    assert "data, HDF5" in text and "20 x 2" in text


def test_lists(tmp_path, capsys):
    (tmp_path / "l.txt").write_text("a b.jpg 3\nc.jpg 0\n")
    assert "list of pictures" in (text := shown(tmp_path / "l.txt", capsys)) and "0 to 3" in text
    (tmp_path / "h.txt").write_text("x.h5\n")
    assert "list of HDF5 files" in shown(tmp_path / "h.txt", capsys)


def test_other_files_and_folders(tmp_path, capsys):
    assert "this is a folder" in shown(tmp_path, capsys, 1)
    (tmp_path / "n.prototxt").write_text('name: "x"\ninput_dim: 3\n')
    assert "looks like a definition" in shown(tmp_path / "n.prototxt", capsys, 1)


@pytest.mark.parametrize("command", [["summary"], ["check"]])
def test_weights_in_place_of_a_definition(tmp_path, capsys, command):
    path = tmp_path / "x.caffemodel"
    path.write_bytes(b"\x0a\x03net\xa2\x06\x05\x0a\x03abc")
    assert main([*command, str(path)]) == 1
    output = capsys.readouterr()
    assert "'inspect FILE --prototxt OUT' writes the net" in output.out + output.err
