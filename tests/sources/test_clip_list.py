"""Lists of videos: where they are found, and what is said about those that will not do."""
from __future__ import annotations

from pathlib import Path

import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.sources.clip_list import read_video_list
from tests.sources.clips import marked, noisy, write_frames, write_list
from tests.tasks.activity.videos import levels, write_sound, write_video


def read(path, kind="rgb", rate=None, root=""):
    return read_video_list(str(path), root, (str(path),), kind, rate)


@pytest.mark.parametrize("name, place", [
    ("a", "a"), ("a.avi", "a"), ("Class/a.AVI", "Class/a"), ("Class/a", "a"),
    ("Class/a.mp4", "a"), ("v_x.2", "v_x.2")])
def test_folders_are_found_by_their_names(tmp_path, name, place):
    write_frames(tmp_path / "root" / place, marked(0, 3))
    listed = read(write_list(tmp_path, f"{name} 4\r"), root=str(tmp_path / "root"))
    assert Path(listed.videos[0].path) == tmp_path / "root" / place
    assert (listed.videos[0].count, listed.videos[0].height, listed.videos[0].width) == (3, 6, 8)
    assert listed.listed.labels.tolist() == [4]


@pytest.mark.parametrize("name, place", [
    ("Class/a.mkv", "Class/a.mkv"), ("Class/a", "Class/a.mkv"), ("Class/a", "a.mkv"),
    ("Class/a.mkv", "a.mkv")])
def test_video_files_are_found_by_their_names(tmp_path, name, place):
    write_video(tmp_path / place, levels(5))
    video = read(write_list(tmp_path, f"{name} 0")).videos[0]
    assert video.is_file and (video.count, video.height, video.width) == (5, 24, 32)


def test_a_folder_comes_before_a_file(tmp_path):
    write_video(tmp_path / "a.mkv", levels(5))
    write_frames(tmp_path / "a", marked(0, 3))
    assert not read(write_list(tmp_path, "a.mkv 0")).videos[0].is_file


def test_a_rate_counts_the_frames_of_a_file(tmp_path):
    write_video(tmp_path / "a.mkv", levels(6))
    assert read(write_list(tmp_path, "a 0"), rate=5).videos[0].count == 3


def test_a_list_of_windows_with_an_absent_class(tmp_path):
    write_frames(tmp_path / "Run" / "v_1", marked(0, 3))
    path = write_list(tmp_path, "Run/v_1.avi 0\r", "Jump/v_1_g01.avi 1\r")
    with pytest.raises(DataError, match="list.txt:2: video 'Jump/v_1_g01.avi' is missing"):
        read(path)
    assert read(write_list(tmp_path, "Run/v_1.avi 0\r")).listed.labels.tolist() == [0]


def test_missing_videos(tmp_path):
    write_frames(tmp_path / "b", marked(0, 3))
    path = write_list(tmp_path, "", "a 0", "b 1", "c 1")
    with pytest.raises(DataError, match=r"list.txt:2: video 'a' is missing, and 1 more of 3.*"
                                        "root_folder is not given.*caffe-lrcn data frames"):
        read(path)
    with pytest.raises(DataError, match="a folder of flow pictures in root_folder 'nowhere'"):
        read(path, "flow", root="nowhere")


def test_flow_is_not_read_from_video_files(tmp_path):
    write_video(tmp_path / "a.mkv", levels(5))
    with pytest.raises(DataError, match="'a.mkv' is missing.*caffe-lrcn data flow"):
        read(write_list(tmp_path, "a.mkv 0"), "flow")


@pytest.mark.parametrize("line, message", [
    ("a -1", "list.txt:1: the label is negative .got -1"),
    ("a", r"list.txt:1: this line has no integer as its label.*v_Archery_g01_c01 3"),
    ("a\t1", "not a tab")])
def test_labels_that_will_not_do(tmp_path, line, message):
    write_frames(tmp_path / "a", marked(0, 3))
    write_frames(tmp_path / "a\t1", marked(0, 3))
    with pytest.raises(DataError, match=message):
        read(write_list(tmp_path, line))


def test_an_empty_list(tmp_path):
    with pytest.raises(DataError, match="names no video. Write one line per video"):
        read(write_list(tmp_path, ""))


@pytest.mark.parametrize("kind, found, prefix, wanted", [
    ("flow", "flow", "", "rgb"), ("rgb", "rgb", "", "flow"), ("", "flow", "flow_image_", "rgb")])
def test_the_other_kind_of_pictures(tmp_path, kind, found, prefix, wanted):
    write_frames(tmp_path / "a", marked(0, 3), kind, prefix)
    with pytest.raises(DataError, match=rf"list.txt:1: video 'a' .*a\): these are .*, not .*"
                                        f"modality: {found.upper()}"):
        read(write_list(tmp_path, "a 0"), wanted)


def test_unknown_folders_may_be_flow(tmp_path):
    write_frames(tmp_path / "a", marked(0, 3))
    assert read(write_list(tmp_path, "a 0"), "flow").videos[0].count == 3


@pytest.mark.parametrize("one, other, got", [
    ({"method": "brox", "scale": 16.0}, {"method": "dis", "scale": 16.0}, "method dis"),
    ({"method": "brox", "scale": 16.0}, {"method": "brox", "scale": 8.0}, "scale 8.0")])
def test_flow_made_in_two_ways(tmp_path, one, other, got):
    write_frames(tmp_path / "a", marked(0, 3), "flow", **one)
    write_frames(tmp_path / "b", marked(0, 3), "flow", **other)
    with pytest.raises(DataError, match=rf"list.txt:2: the pictures were made otherwise.*{got}, "
                                        r"wanted .*list.txt:1"):
        read(write_list(tmp_path, "a 0", "b 0"), "flow")


def test_flow_of_unknown_make_beside_known(tmp_path, caplog):
    write_frames(tmp_path / "a", marked(0, 3), "flow", method="brox")
    write_frames(tmp_path / "b", marked(0, 3))
    path = write_list(tmp_path, "a 0", "b 0")
    read(path, "flow")
    assert "1 of 2 folders have no frames.json" in caplog.text


def test_folders_of_unknown_rate_and_folders_beside_files(tmp_path, caplog):
    write_frames(tmp_path / "a", marked(0, 3))
    path = write_list(tmp_path, "a 0")
    read(path)
    assert not caplog.text
    read(path, rate=5)
    assert "1 of 1 folders have no frames.json" in caplog.text
    write_video(tmp_path / "b.mkv", levels(3))
    read(write_list(tmp_path, "a 0", "b 1"))
    assert "1 videos are folders of frames, 1 are files" in caplog.text


def test_frames_taken_at_another_rate(tmp_path):
    write_frames(tmp_path / "a", marked(0, 3), "rgb", rate=30.0)
    path = write_list(tmp_path, "a 0")
    assert read(path, rate=30).videos
    with pytest.raises(DataError, match="another rate .got 30 per second, wanted 10"):
        read(path, rate=10)


def test_sizes_mixed_inside_a_folder(tmp_path):
    write_frames(tmp_path / "a", marked(0, 5))
    write_frames(tmp_path / "b", marked(0, 2, 7, 8))
    (tmp_path / "b" / "b.0001.png").rename(tmp_path / "a" / "a.0003.png")
    with pytest.raises(DataError, match="list.txt:1: video 'a' .*: picture 'a.0003.png' has "
                                        "another size than the first.*got 7x8.*wanted 6x8"):
        read(write_list(tmp_path, "a 0"))


def test_frames_that_contradict_their_description(tmp_path):
    write_frames(tmp_path / "a", marked(0, 5), "rgb")
    write_frames(tmp_path / "a", marked(0, 5, 7, 8))
    path = write_list(tmp_path, "a 0")
    with pytest.raises(DataError, match="another size than their description.*6x8 as frames.json"):
        read(path)
    (tmp_path / "a" / "a.0002.png").unlink()
    with pytest.raises(DataError, match="video 'a' .*: frames are missing"):
        read(path)


def test_frames_missing_from_a_folder_of_unknown_make(tmp_path):
    write_frames(tmp_path / "a", marked(0, 5))
    (tmp_path / "a" / "a.0003.png").unlink()
    with pytest.raises(DataError, match="list.txt:1: video 'a' .*: frames are missing .got "
                                        "'a.0004.png' after 'a.0002.png'"):
        read(write_list(tmp_path, "a 0"))


def test_folders_without_frames(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(DataError, match="list.txt:1: video 'a' .*: the folder has no pictures"):
        read(write_list(tmp_path, "a 0"))
    write_frames(tmp_path / "a", marked(0, 2))
    (tmp_path / "a" / "a.0001.png").write_bytes(b"nonsense")
    with pytest.raises(DataError, match="list.txt:1: video 'a'.*a.0001.png' cannot be read"):
        read(write_list(tmp_path, "a 0"))
    (tmp_path / "a" / "frames.json").write_text("{")
    with pytest.raises(DataError, match="list.txt:1: video 'a' .*: the description .* is damaged"):
        read(write_list(tmp_path, "a 0"))


def test_files_that_are_no_videos(tmp_path):
    write_sound(tmp_path / "a.wav")
    (tmp_path / "b.avi").write_text("hello " * 100)
    with pytest.raises(DataError, match="list.txt:1: video 'a.wav'.*got sound"):
        read(write_list(tmp_path, "a.wav 0"))
    with pytest.raises(DataError, match="list.txt:1: video 'b'.*cannot be read as a video"):
        read(write_list(tmp_path, "b 0"))


def test_truncated_files(tmp_path):
    path = write_video(tmp_path / "a.avi", noisy(0, 20, 48, 64))
    content = path.read_bytes()
    path.write_bytes(content[:len(content) // 2])
    with pytest.raises(DataError, match="list.txt:1: video 'a'"):
        read(write_list(tmp_path, "a 0"))


def test_a_video_listed_twice_is_looked_at_once(tmp_path):
    write_frames(tmp_path / "a", marked(0, 3))
    one, two = read(write_list(tmp_path, "a 0", "a.avi 1")).videos
    assert one is two
