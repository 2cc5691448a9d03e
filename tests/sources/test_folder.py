"""Folders of pictures: their order, and what is left out."""
from __future__ import annotations

import os

import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.sources.folder import ENDINGS, expand, natural_order, pictures_in
from caffe_lrcn.sources.picture_file import FORMATS


def fill(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


def test_order_is_natural_and_only_pictures_count(tmp_path, capsys):
    folder = fill(tmp_path / "p", "10.jpg", "2.PNG", "a.tif", "B.webp", ".hidden.jpg", "notes.txt",
                  "x1y20.gif", "x1y3.gif")
    fill(folder / "inner", "3.jpg")
    found = pictures_in(folder)
    assert [os.path.relpath(path, folder) for path in found] == [
        "2.PNG", "10.jpg", "a.tif", "B.webp", "x1y3.gif", "x1y20.gif"]
    assert capsys.readouterr().err == (
        f"{folder}: 6 pictures; skipped 2 other files (the first: .hidden.jpg) and 1 folder, which "
        "must be named too to be read\n")


def test_a_folder_takes_its_place_among_files(tmp_path, capsys):
    folder = fill(tmp_path / "p", "1.jpg")
    assert expand(["x.jpg", f"{folder}/", "y.jpg"]) == ["x.jpg", f"{folder}/1.jpg", "y.jpg"]
    assert capsys.readouterr().err == f"{folder}/: 1 picture\n"


@pytest.mark.parametrize("names, message", [
    ([], "holds no pictures .got an empty folder, wanted names that end in .jpg"),
    (["a.txt", "b.txt"], r"got 2 other files \(the first: a.txt\)")])
def test_a_folder_without_pictures(tmp_path, names, message):
    with pytest.raises(DataError, match=message):
        pictures_in(fill(tmp_path / "p", *names))


def test_a_name_from_somebody_else_does_no_harm(tmp_path, capsys):
    pictures_in(fill(tmp_path / "p", "1.jpg", "\x1b[2J"))
    assert "\x1b" not in capsys.readouterr().err


def test_endings_are_those_of_the_formats_that_are_read():
    from PIL import Image
    known = Image.registered_extensions()
    assert {known[ending] for ending in ENDINGS} == {*FORMATS}
    others = [ending for ending, kind in known.items() if kind in FORMATS and ending not in ENDINGS]
    assert {*others} <= {".apng", ".pfm", ".dib"}


def test_natural_order():
    names = ["f10.jpg", "f9.jpg", "f2b.jpg", "f2.jpg", "10.jpg", "e.jpg"]
    assert sorted(names, key=natural_order) == ["10.jpg", "e.jpg", "f2.jpg", "f2b.jpg", "f9.jpg",
                                                "f10.jpg"]
