"""Arrays in files: whole, damaged, and larger than they can be."""
from __future__ import annotations

import os

import numpy as np
import pytest

from caffe_lrcn import memory
from caffe_lrcn.caffe_tools.classify import load_pictures
from caffe_lrcn.caffe_tools.compute_image_mean import read_mean
from caffe_lrcn.errors import DataError
from caffe_lrcn.sources.array_file import read_array
from caffe_lrcn.tasks.captioning.pictures import read_features

READERS = [lambda path: read_array(path, "the array"), read_features, read_mean,
           lambda path: load_pictures(path, "jpg")]
every_reader = pytest.mark.parametrize("read", READERS)


def claims(path, shape, dtype="<f4"):
    """Write a header and 100 bytes."""
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": dtype, "fortran_order": False, "shape": shape})
        file.write(bytes(100))
    return str(path)


@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3), np.zeros((0, 4), "f4"),
                                   np.asfortranarray(np.eye(3, 2)), np.array(3, ">i2")])
def test_what_is_read(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    found = read_array(tmp_path / "a.npy", "the array")
    np.testing.assert_array_equal(found, array)
    assert found.flags.writeable and type(found) is np.ndarray
    (tmp_path / "a.npy").unlink()


@every_reader
@pytest.mark.parametrize("shape", [(10**9, 10**3), (2**62, 2, 1, 1), (1000, 1, 1, 1), (-4, 1),
                                   (10**30, 3)])
def test_a_header_that_claims_too_much(tmp_path, read, shape):
    with pytest.raises(DataError, match="a.npy: the .* cannot be read"):
        read(claims(tmp_path / "a.npy", shape))


@every_reader
def test_other_files(tmp_path, read):
    np.save(tmp_path / "objects.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "archive.npy.npz", np.zeros(3))
    os.rename(tmp_path / "archive.npy.npz", tmp_path / "archive.npy")
    (tmp_path / "text.npy").write_text("no array")
    (tmp_path / "empty.npy").touch()
    np.save(tmp_path / "words.npy", np.array([["a"]]))
    (tmp_path / "folder.npy").mkdir()
    os.mkfifo(tmp_path / "pipe.npy")
    for name in ("objects", "archive", "text", "empty", "words", "folder", "pipe", "none"):
        with pytest.raises(DataError, match=f"{name}.npy: the .* cannot be read") as caught:
            read(str(tmp_path / f"{name}.npy"))
        # NumPy's advice to load unsafely, and numbers of errors, are not for the user.
        assert "pickle" not in str(caught.value) and "Errno" not in str(caught.value)


def test_a_large_file_is_not_read_where_there_is_no_room(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: memory.LARGE)
    path = claims(tmp_path / "a.npy", (2, memory.LARGE))
    os.truncate(path, 10 * memory.LARGE)  # a hole, which takes no room on the disk
    with pytest.raises(DataError, match="a.npy: the file of the features does not fit in"):
        read_features(path)
