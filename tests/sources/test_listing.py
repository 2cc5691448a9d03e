"""List files: names, labels, blank lines, and files that are no lists."""
from __future__ import annotations

import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.sources.listing import parse_label, read_file_list, read_picture_list


def write(tmp_path, content):
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    return str(path)


def test_file_names_are_separated_by_any_white_space(tmp_path):
    assert read_file_list(write(tmp_path, b"a.h5  b.h5\n\n\n\tc.h5\r\n")) == ["a.h5", "b.h5",
                                                                             "c.h5"]


def test_label_follows_the_last_space(tmp_path):
    pictures = read_picture_list(write(tmp_path, b"a cat.png 3\nb.png -2\nc.png +4\n"))
    assert pictures.names == ["a cat.png", "b.png", "c.png"]
    assert pictures.labels.tolist() == [3, -2, 4]
    assert pictures.lines.tolist() == [1, 2, 3]


@pytest.mark.parametrize("line", ["cat.png", "12.png", "cat.png cat", "cat.png 3x", "cat.png\t3"])
def test_a_line_without_a_label_is_refused_with_its_place(tmp_path, line):
    path = write(tmp_path, f"a.png 1\n{line}\nb.png 2\n{line}\n{line}\n".encode())
    with pytest.raises(DataError, match="no integer as its label, and 2 more") as caught:
        read_picture_list(path)
    assert caught.value.where == f"{path}:2" and caught.value.got == repr(line)
    assert ("tab" in caught.value.remedy) == ("\t" in line)


def test_line_ends_and_trailing_spaces_do_not_matter(tmp_path):
    pictures = read_picture_list(write(tmp_path, b"\xef\xbb\xbfa.png 1\r\nb.png 2  "))
    assert (pictures.names, pictures.labels.tolist()) == (["a.png", "b.png"], [1, 2])


def test_blank_lines_are_skipped_and_counted(tmp_path, caplog):
    pictures = read_picture_list(write(tmp_path, b"\na.png 1\n  \n\nb.png 2\n"))
    assert pictures.lines.tolist() == [2, 5]
    assert "skipped 3 blank lines" in caplog.text


def test_no_warning_without_blank_lines(tmp_path, caplog):
    read_picture_list(write(tmp_path, b"a.png 1\nb.png 2\n"))
    assert not caplog.records


@pytest.mark.parametrize("text, label", [
    ("7", 7), ("+7", 7), ("-7", -7), ("7.9", None), ("7x", None), ("x7", None), ("", None),
    ("2147483647", 2**31 - 1), ("99999999999", None), ("9" * 9999, None),
    ("\N{ARABIC-INDIC DIGIT SEVEN}", None)])
def test_a_label_is_an_integer_and_nothing_else(text, label):
    assert parse_label(text) == label


@pytest.mark.parametrize("read", [read_file_list, read_picture_list])
@pytest.mark.parametrize("content, message", [
    (b"", "names no"), (b"\n \n", "names no"), (b"\x89HDF\r\n\x1a\n" + bytes(9), "HDF5 file"),
    (b"a\0b", "not a text file")])
def test_what_is_no_list_is_refused(tmp_path, read, content, message):
    path = write(tmp_path, content)
    with pytest.raises(DataError, match=message) as caught:
        read(path)
    assert path in str(caught.value)


@pytest.mark.parametrize("read", [read_file_list, read_picture_list])
def test_missing_list_is_named(tmp_path, read):
    with pytest.raises(DataError, match="nowhere.txt.*No such file"):
        read(str(tmp_path / "nowhere.txt"))
    with pytest.raises(DataError, match="this is a folder"):
        read(str(tmp_path))
