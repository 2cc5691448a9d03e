"""Pictures and clips are found by id, and converted where browsers do not show them."""
from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from caffe_lrcn.errors import DataError
from caffe_lrcn.sources.video_file import VideoFile
from caffe_lrcn.tasks.ranking import media
from caffe_lrcn.tasks.ranking.media import MediaFolder, check_media, convert, shown_as_is
from tests.tasks.activity.videos import levels, write_video
from tests.tasks.ranking.studies import write_pictures


def test_items_are_found_by_path_name_stem_and_number(tmp_path):
    for name in ("COCO_val2014_000000000042.jpg", "cooking/v_cut_g01_c02.avi", "7.png",
                 "frames/clip/clip.0001.jpg", "frames/clip/clip.0002.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    folder = MediaFolder(tmp_path)
    assert folder.find("42") == folder.find("COCO_val2014_000000000042") == (
        "COCO_val2014_000000000042.jpg")
    assert folder.find("v_cut_g01_c02") == "cooking/v_cut_g01_c02.avi"
    assert folder.find("cooking/v_cut_g01_c02.avi") == "cooking/v_cut_g01_c02.avi"
    assert folder.find("clip") == "frames/clip" and folder.find("7") == "7.png"
    assert folder.find("9", "7.png") == "7.png"


@pytest.mark.parametrize("key", ["nothing", "../secret.png", "a\0b", ""])
def test_missing_items(tmp_path, key):
    (tmp_path / "p").mkdir()
    (tmp_path / "secret.png").touch()
    with pytest.raises(DataError, match="missing.*--ids"):
        MediaFolder(tmp_path / "p").find(key)


def test_an_id_that_fits_two_files(tmp_path):
    for name in ("a_01.png", "b_01.png"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"several.*a_01\.png and b_01\.png"):
        MediaFolder(tmp_path).find("1")


def test_a_missing_folder_and_a_missing_picture(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        MediaFolder(tmp_path / "none")
    with pytest.raises(DataError, match=r"gone\.png: a picture or clip of the study is missing"):
        check_media(tmp_path, ["gone.png"])


def test_pyav_is_asked_for_before_anybody_ranks(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    check_media(write_pictures(tmp_path), ["red.png"])
    (tmp_path / "a.avi").touch()
    with pytest.raises(DataError, match=r"\[video\]"):
        check_media(tmp_path, ["a.avi"])


def test_pictures_that_browsers_show_are_sent_as_they_are(tmp_path):
    assert shown_as_is(write_pictures(tmp_path) / "red.png") == "image/png"
    tiff = tmp_path / "red.tif"
    Image.new("RGB", (8, 6), "red").save(tiff)
    assert shown_as_is(tiff) is None and not media.is_clip(tiff)
    assert convert(tiff, tmp_path / "out") == "image/png"
    with Image.open(tmp_path / "out") as picture:
        assert picture.format == "PNG" and picture.size == (8, 6)


def test_videos_are_sent_as_they_are_if_their_codec_allows(tmp_path):
    plays = write_video(tmp_path / "a.webm", levels(5), codec="libvpx", pixels="yuv420p")
    not_played = write_video(tmp_path / "a.mp4", levels(5), codec="mpeg4", pixels="yuv420p")
    assert shown_as_is(plays) == "video/webm"
    assert shown_as_is(not_played) is None and shown_as_is(tmp_path / "a.avi") is None


def read(path):
    with VideoFile(path) as video:
        assert video.codec.removeprefix("lib") in ("vp8", "vpx") and video.pixels == "yuv420p"
        return np.array(list(video.frames())), video.rate


def test_other_videos_become_webm_of_the_same_length(tmp_path):
    source = write_video(tmp_path / "a.avi", levels(12, 48, 1281), rate=10)
    assert convert(source, tmp_path / "out") == "video/webm"
    frames, rate = read(tmp_path / "out")
    assert frames.shape == (12, 24, 640, 3) and rate == 10
    assert np.abs(frames.mean((1, 2, 3)) - np.arange(10, 130, 10)).max() < 6


def test_folders_of_frames_become_webm(tmp_path):
    folder = tmp_path / "clip"
    folder.mkdir()
    for number in (1, 2, 10):
        Image.new("RGB", (32, 24), (0, 0, 20 * number)).save(folder / f"clip.{number}.png")
    assert media.is_clip(folder) and shown_as_is(folder) is None
    assert convert(folder, tmp_path / "out") == "video/webm"
    frames, rate = read(tmp_path / "out")
    assert len(frames) == 3 and rate == 25
    assert np.abs(frames[:, 12, 16, 0].astype(int) - [20, 40, 200]).max() < 12  # blue, in order


def test_clips_that_cannot_be_converted_are_errors(tmp_path, monkeypatch):
    source = write_video(tmp_path / "a.avi", levels(3, 24, 32))
    monkeypatch.setattr(media, "_size", lambda *_: (2, 100_000))
    with pytest.raises(DataError, match=r"a\.avi: the clip cannot be converted to WebM"):
        convert(source, tmp_path / "out")


def test_damaged_files_are_errors(tmp_path):
    for name in ("a.avi", "a.tif", "a.mp4"):
        (tmp_path / name).write_bytes(b"something else")
        with pytest.raises(DataError, match=name):
            convert(tmp_path / name, tmp_path / "out")
    with pytest.raises(DataError, match="a.mp4"):
        shown_as_is(tmp_path / "a.mp4")
