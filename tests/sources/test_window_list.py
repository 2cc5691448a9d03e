"""Lists of windows: their form, what is kept of them, and complaints with line numbers."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caffe_lrcn.errors import DataError
from caffe_lrcn.sources.window_list import read_window_list

LIST = """# 0
first picture.png
3
20
30
3
7 0.9 0 0 10 11
8 0.3 1 2 3 4
9 0.5 5 6 7 8
# 1
second.png
3 20 30
1
2 0.1 4 4 5 5
""".replace(" picture", "")


@pytest.fixture
def read(tmp_path):
    """Read a list's text."""
    def read(text, fg=0.5, bg=0.4):
        (tmp_path / "windows.txt").write_text(text)
        return read_window_list(str(tmp_path / "windows.txt"), fg, bg)

    return read


def test_windows_are_told_apart_by_their_overlap(read):
    got = read(LIST)
    assert got.names == ["first.png", "second.png"]
    assert got.foreground.values.tolist() == [[0, 7, 0, 0, 10, 11], [0, 9, 5, 6, 7, 8]]
    assert got.foreground.lines.tolist() == [7, 9]
    assert got.background.values.tolist() == [[0, 0, 1, 2, 3, 4], [1, 0, 4, 4, 5, 5]]
    assert got.background.lines.tolist() == [8, 14]


def test_thresholds(read):
    assert len(read(LIST, fg=0.91).foreground) == 0
    got = read(LIST, fg=0.9, bg=0.1)
    assert (len(got.foreground), len(got.background)) == (1, 0)
    # In single precision 0.3 is not below 0.3, as in Caffe.
    assert len(read(LIST, bg=np.float32(0.3)).background) == 1
    assert len(read(LIST, fg=np.float32(0.3)).foreground) == 3


def test_white_space_is_free(read):
    got, want = read(" ".join(LIST.split())), read(LIST)
    np.testing.assert_array_equal(got.foreground.values, want.foreground.values)
    assert got.foreground.lines.tolist() == [1, 1]


def test_the_index_is_taken_as_a_place_in_the_list(read):
    # CAFFE-QUIRK
    got = read(LIST.replace("# 1", "# 9").replace("# 0", "# 1").replace("# 9", "# 0"))
    assert got.names == ["first.png", "second.png"]
    assert got.foreground.values[:, 0].tolist() == [1, 1]
    with pytest.raises(DataError, match="windows.txt:10: the index .* not a place.*got 5, wanted"):
        read(LIST.replace("# 1", "# 5"))


@pytest.mark.parametrize("old, new, message", [
    ("# 1", "1", "windows.txt:10: a block does not start with '#' .got '1'"),
    ("# 0", "# zero", "windows.txt:1: the index of the picture is not an integer .got 'zero'"),
    ("3\n20", "1\n20", "windows.txt:3: pictures are decoded to colour .got 1 channels"),
    ("3 20", "three 20", "windows.txt:12: channels is not an integer"),
    ("20\n30", "20\nwide", "windows.txt:5: the width is not an integer .got 'wide'"),
    ("30\n3\n", "30\n-1\n", "windows.txt:6: the number of windows is negative"),
    ("30\n3\n", "30\n4\n", "windows.txt:9: a window is made of numbers|windows.txt:10"),
    ("30\n1\n", "30\n2\n", "windows.txt:14: the list ends within a block"),
    ("30\n1\n", "30\n99999999999\n", "windows.txt:13: the number of windows is too large"),
    ("4 4 5 5\n", "4 4 5\n", "windows.txt:14: the list ends within a block .got 5 words"),
    ("5 6 7 8", "5 6 x 8", "windows.txt:9: a window is made of numbers .got 'x'"),
    ("5 6 7 8", "5 6 7.5 8", "windows.txt:9: a class or a corner is not an integer .got '7.5'"),
    ("9 0.5", "9.5 0.5", "windows.txt:9: a class or a corner is not an integer .got '9.5'"),
    ("5 6 7 8", "nan 6 7 8", "windows.txt:9: a class or a corner is not an integer .got 'nan'"),
    ("5 6 7 8", "inf 6 7 8", "windows.txt:9: a class or a corner is not an integer .got 'inf'"),
    ("5 6 7 8", "5 6 7 3000000000", "windows.txt:9: a class or a corner is too large"),
    ("9 0.5", "0 0.5", "windows.txt:9: the class of a foreground window is not positive .got 0"),
    ("second.png\n3 20 30\n1\n2 0.1 4 4 5 5\n", "second.png", "windows.txt:11: the list ends")])
def test_complaints_name_the_line(read, old, new, message):
    assert old in LIST
    with pytest.raises(DataError, match=message):
        read(LIST.replace(old, new, 1))


def test_empty_and_missing_lists(read, tmp_path):
    with pytest.raises(DataError, match="windows.txt: the list names no picture"):
        read(" \n")
    with pytest.raises(DataError, match="cannot read the list file"):
        read_window_list(str(tmp_path / "none"), 0.5, 0.5)


@given(st.lists(st.tuples(st.integers(0, len(LIST)), st.sampled_from(
    ["", " ", "\n", "#", "9", "-", ".", "e9", "nan", "\0", "# 0 a 3 1 1 0", "\u0663"]))))
def test_any_text_is_read_or_refused(tmp_path_factory, changes):
    text = LIST
    for place, new in changes:
        text = text[:place] + new + text[place + 1:]
    path = tmp_path_factory.getbasetemp() / "fuzzed.txt"
    path.write_text(text)
    try:
        got = read_window_list(str(path), 0.5, 0.5)
    except DataError as error:
        assert "fuzzed.txt" in str(error)
    else:
        assert got.names
