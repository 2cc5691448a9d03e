"""Feature files of videos, in all forms."""
import os

import h5py
import numpy as np
import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.tasks.description import feature_files
from caffe_lrcn.tasks.description.feature_files import open_features, pooled

VALUES = {"b": np.array([[1.5, -2, 3e-3], [4, 5, 6]], np.float32),
          "a": np.array([[7, 8, 9.25]], np.float32)}


def lines(named=True):
    return [f"{f'{video}_{frame},' * named}" + ",".join(map(repr, map(float, row)))
            for video, rows in VALUES.items() for frame, row in enumerate(rows, 1)]


def check(features):
    assert dict(features.counts) == {"b": 2, "a": 1} and list(features.counts) == ["b", "a"]
    assert features.width == 3
    for video, rows in VALUES.items():
        found = features.read(video)
        assert found.dtype == np.float32 and found.shape == rows.shape
        np.testing.assert_array_equal(found, rows)
        np.testing.assert_array_equal(features.read(video), rows)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_of_s2vt(end, tmp_path):
    (tmp_path / "f.txt").write_bytes((end.join(lines()) + end).encode())
    check(open_features(tmp_path / "f.txt"))


def test_lines_of_a_video_that_are_apart(tmp_path):
    text = [line for number in (0, 2, 1) for line in [lines()[number]]]
    (tmp_path / "f.csv").write_text("\n".join(text))
    check(open_features(tmp_path / "f.csv"))


def test_lines_without_names(tmp_path):
    (tmp_path / "f.txt").write_text("\n".join(lines(named=False)))
    (tmp_path / "names.txt").write_text("b\nframes/b/b.0002.jpg\na\n")
    check(open_features(tmp_path / "f.txt", names=tmp_path / "names.txt"))
    numbered = open_features(tmp_path / "f.txt", first=1201)
    assert dict(numbered.counts) == {"vid1201": 1, "vid1202": 1, "vid1203": 1}
    np.testing.assert_array_equal(numbered.read("vid1203"), VALUES["a"])
    with pytest.raises(DataError, match=r"nothing tells which videos.*--first-video"):
        open_features(tmp_path / "f.txt")


def test_arrays(tmp_path):
    np.save(tmp_path / "f.npy", np.concatenate(list(VALUES.values())).astype(np.float64))
    (tmp_path / "names.txt").write_text("b\nb\na\n")
    check(open_features(tmp_path / "f.npy", names=tmp_path / "names.txt"))
    (tmp_path / "names.txt").write_text("b\nb\n")
    with pytest.raises(DataError, match=r"not as many names as rows.*got 2, wanted 3"):
        open_features(tmp_path / "f.npy", names=tmp_path / "names.txt")


def test_hdf5(tmp_path):
    with h5py.File(tmp_path / "f.h5", "w", track_order=True) as file:
        for video, rows in VALUES.items():
            file[video] = rows
        file["film/clip"] = VALUES["a"]
    features = open_features(tmp_path / "f.h5")
    assert {"b": 2, "a": 1, "film/clip": 1} == dict(features.counts)
    np.testing.assert_array_equal(features.read("film/clip"), VALUES["a"])
    np.testing.assert_array_equal(features.read("b"), VALUES["b"])


@pytest.mark.parametrize("text, message", [
    ("a_1,1,2\na_2,1\n", r"f.txt:2: this is not a line of features.*wanted 2 numbers after"),
    ("a_1,1,2\n3,1,2\n", "f.txt:2: this is not a line of features"),
    ("a_1,1,2\n3,2\n", "f.txt:2: this is not a line of features"),
    ("_1,1,2\n", "f.txt:1: this is not a line"),
    ("a_1\n", "f.txt:1: this is not a line"),
    ("\n\n", "the features are empty"),
])
def test_lines_that_are_wrong(text, message, tmp_path):
    (tmp_path / "f.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        open_features(tmp_path / "f.txt", first=1 if text[0].isdigit() else None)


@pytest.mark.parametrize("text, message", [
    ("a_1,1,2\na_2,1,x\n", r"f.txt:2: these are not numbers.*1,x"),
    ("a_1,1,\n", "f.txt:1: these are not numbers"),
    ("a_1,1,nan\n", "features of video 'a' hold NaN"),
])
def test_numbers_that_are_wrong(text, message, tmp_path):
    (tmp_path / "f.txt").write_text(text)
    features = open_features(tmp_path / "f.txt")
    with pytest.raises(DataError, match=message):
        features.read("a")


def test_files_that_cannot_be_read(tmp_path):
    for name, message in (("x.csv", "cannot be read"), ("x.h5", "no such HDF5"),
                          ("x.npy", "cannot be read")):
        with pytest.raises(DataError, match=message):
            open_features(tmp_path / name, first=None if name.endswith("h5") else 1)
    with pytest.raises(DataError, match="Is a directory"):
        open_features(tmp_path)
    (tmp_path / "f.txt").write_text("\n".join(lines()))
    with pytest.raises(DataError, match="have names already"):
        open_features(tmp_path / "f.txt", first=1)


def test_videos_without_frames_and_of_other_widths(tmp_path):
    for shape, message in (((0, 3), "video 'b' has no frames"), ((2, 4), "wrong shape"),
                           ((3,), "wrong shape")):
        with h5py.File(tmp_path / "f.h5", "w") as file:
            file["a"], file["b"] = np.zeros((1, 3)), np.zeros(shape)
        with pytest.raises(DataError, match=message):
            open_features(tmp_path / "f.h5")


def test_a_file_larger_than_the_cache(tmp_path, monkeypatch):
    """Only what fits is kept of the lines that were read."""
    monkeypatch.setattr(feature_files, "_CACHE", 30)
    (tmp_path / "f.txt").write_text("\n".join(lines()))
    features = open_features(tmp_path / "f.txt")
    check(features)
    assert list(features._kept) == ["a"]
    os.remove(tmp_path / "f.txt")
    np.testing.assert_array_equal(features.read("a"), VALUES["a"])


def test_pooled(tmp_path):
    (tmp_path / "f.txt").write_text("\n".join(lines()))
    found = pooled(open_features(tmp_path / "f.txt"), ["a", "b", "a"])
    np.testing.assert_allclose(found, [VALUES["a"][0], VALUES["b"].mean(0), VALUES["a"][0]])
    assert found.dtype == np.float32
