"""Folders of frames: order, names, and their description."""
import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.sources.frame_folders import (
    About,
    check_numbers,
    flow_name,
    frame_name,
    list_frames,
    read_about,
)

ABOUT = About("rgb", 2, 24, 32, 30.0, {"name": "a.avi"}, {"quality": 95})


def test_frames_are_listed_in_natural_order_and_other_files_are_not(tmp_path):
    for name in ("x.10.jpg", "x.9.jpg", "x.0001.JPG", "notes.txt"):
        (tmp_path / name).touch()
    assert list_frames(tmp_path) == ["x.0001.JPG", "x.9.jpg", "x.10.jpg"]


def test_names():
    assert frame_name("v_x.y", 12) == "v_x.y.0012.jpg"
    assert frame_name("v", 12345) == "v.12345.jpg"
    assert flow_name("v_x.y.0012.jpg") == "flow_image_v_x.y.0012.jpg"


def test_description_is_read_as_written(tmp_path):
    ABOUT.write(tmp_path)
    assert read_about(tmp_path) == ABOUT


def test_no_description(tmp_path):
    assert read_about(tmp_path) is None


@pytest.mark.parametrize("text", [
    "", "1", "[]", "null", '{"kind": "rgb"}', "[" * 100_000, "\xff",
    '{"kind": "sound", "count": 1, "height": 1, "width": 1}',
    '{"kind": "rgb", "count": "1", "height": 1, "width": 1}',
    '{"kind": "rgb", "count": 1, "height": 1, "width": 1, "made": []}',
])
def test_damaged_description(tmp_path, text):
    (tmp_path / "frames.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match="description of the frames is damaged"):
        read_about(tmp_path)


def test_missing_frames_are_noticed(tmp_path):
    ABOUT.write(tmp_path)
    (tmp_path / "x.0001.jpg").touch()
    with pytest.raises(DataError, match=r"frames are missing.*got 1, wanted 2"):
        list_frames(tmp_path)


def test_no_frames(tmp_path):
    with pytest.raises(DataError, match="no pictures"):
        list_frames(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        list_frames(tmp_path / "nowhere")


@pytest.mark.parametrize("names", [
    "v.1.jpg v.2.jpg v.3.jpg", "v.0001.jpg v.0006.jpg v.0011.jpg", "5.png", "5.png 9.png",
    "a.1.jpg a.2.jpg b.5.jpg", "one.jpg two.jpg", "v_1.2.jpg v_2.2.jpg v_5.2.jpg"])
def test_numbers_without_gaps(tmp_path, names):
    check_numbers(tmp_path, names.split())


@pytest.mark.parametrize("names, message", [
    ("v.1.jpg v.2.jpg v.4.jpg v.5.jpg", "missing .got 'v.4.jpg' after 'v.2.jpg', .* rise by 1"),
    ("001.png 011.png 016.png 021.png", "missing .got '011.png' after '001.png', .* rise by 5")])
def test_missing_frames(tmp_path, names, message):
    with pytest.raises(DataError, match=message):
        check_numbers(tmp_path, names.split())
