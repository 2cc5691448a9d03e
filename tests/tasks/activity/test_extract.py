"""Videos to frames, frames to flow: the folders, what is kept, what is refused."""
import json
import os
import sys

import numpy as np
import pytest
from PIL import Image

from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import DataError, UsageError
from caffe_lrcn.sources.frame_folders import list_frames, read_about
from caffe_lrcn.sources.picture import read_picture
from caffe_lrcn.tasks.activity.extract import make_folders
from caffe_lrcn.tasks.activity.flow import FlowMethod, flow_picture, opencv
from caffe_lrcn.tasks.activity.jobs import find_frames, find_videos
from caffe_lrcn.tasks.activity.recipes import FlowRecipe, FrameRecipe
from tests.tasks.activity.test_brox import error, moved
from tests.tasks.activity.videos import levels, write_sound, write_video

STEADY = FlowMethod("steady", lambda first, second: np.broadcast_to(
    np.array([2.0, -3.0], np.float32), (*first.shape, 2)))


@pytest.fixture()
def videos(tmp_path):
    write_video(tmp_path / "videos/Run/v_2.avi", levels(4))
    write_video(tmp_path / "videos/Run/v_10.avi", levels(3))
    write_video(tmp_path / "videos/Jump/v.1.mkv", levels(2))
    (tmp_path / "videos/notes.txt").write_text("not a video")
    return tmp_path / "videos"


def test_names_and_order(videos):
    assert [job.name for job in find_videos([videos])] == ["Jump/v.1", "Run/v_2", "Run/v_10"]
    assert [job.name for job in find_videos([videos / "Run/v_2.avi"])] == ["v_2"]


def test_frames_of_a_folder_of_videos(videos, tmp_path):
    outcome = make_folders(find_videos([videos]), tmp_path / "rgb", FrameRecipe())
    assert (outcome.made, outcome.kept, outcome.pictures, outcome.broken) == (3, 0, 9, [])
    folder = tmp_path / "rgb/Run/v_2"
    assert list_frames(folder) == [f"v_2.000{k}.jpg" for k in (1, 2, 3, 4)]
    third = read_picture(str(folder / "v_2.0003.jpg"))
    assert third.shape == (24, 32, 3)
    assert abs(third.astype(int) - 30).max() <= 1
    about = read_about(folder)
    assert (about.kind, about.count, about.rate) == ("rgb", 4, 10)
    assert (about.height, about.width) == (24, 32)


def test_colours_keep_their_places(tmp_path):
    frames = np.zeros((1, 24, 32, 3), np.uint8) + np.array([200, 100, 20], np.uint8)  # blue
    make_folders(find_videos([write_video(tmp_path / "a.mkv", frames)]), tmp_path / "rgb",
                 FrameRecipe())
    pixels = read_picture(str(tmp_path / "rgb/a/a.0001.jpg"))
    assert np.abs(pixels[0, 0].astype(int) - [200, 100, 20]).max() <= 2


def test_rate_and_size(videos, tmp_path):
    make_folders(find_videos([videos]), tmp_path / "rgb", FrameRecipe(20, size=(12, 20)))
    assert len(list_frames(tmp_path / "rgb/Run/v_2")) == 8
    assert read_about(tmp_path / "rgb/Run/v_2").rate == 20
    assert read_picture(str(tmp_path / "rgb/Run/v_2/v_2.0001.jpg")).shape == (12, 20, 3)


def test_a_second_run_keeps_what_is_there_and_makes_the_rest(videos, tmp_path):
    out = tmp_path / "rgb"
    make_folders(find_videos([videos / "Jump"]), out / "Jump", FrameRecipe())
    (out / "Run/v_2.partial").mkdir(parents=True)  # an interrupted run
    (out / "Run/v_2.partial/v_2.0001.jpg").touch()
    outcome = make_folders(find_videos([videos]), out, FrameRecipe(), threads=2)
    assert (outcome.made, outcome.kept) == (2, 1)
    assert not list(out.rglob("*.partial"))


def test_a_video_that_changed_is_made_anew(videos, tmp_path):
    out = tmp_path / "rgb"
    make_folders(find_videos([videos]), out, FrameRecipe())
    write_video(videos / "Run/v_2.avi", levels(6))
    outcome = make_folders(find_videos([videos]), out, FrameRecipe())
    assert (outcome.made, outcome.kept) == (1, 2)
    assert len(list_frames(out / "Run/v_2")) == 6


def test_other_flags_are_refused_or_forced(videos, tmp_path):
    out = tmp_path / "rgb"
    make_folders(find_videos([videos]), out, FrameRecipe())
    with pytest.raises(DataError, match=r"another way.*'rate': None.*'rate': 5"):
        make_folders(find_videos([videos]), out, FrameRecipe(rate=5))
    outcome = make_folders(find_videos([videos]), out, FrameRecipe(rate=5), force=True)
    assert outcome.made == 3
    with pytest.raises(DataError, match="another way"):  # one of three would be left
        make_folders(find_videos([videos / "Run/v_2.avi"]), out, FrameRecipe(), force=True)


def test_broken_videos_are_named_and_counted(videos, tmp_path, capsys):
    (videos / "Run/bad.avi").write_bytes(b"RIFF" + bytes(100))
    write_sound(videos / "Run/sound.mkv")
    cut = write_video(videos / "Run/cut.avi", levels(20))
    cut.write_bytes(cut.read_bytes()[:-2000])
    lines = []
    outcome = make_folders(find_videos([videos]), tmp_path / "rgb", FrameRecipe(),
                           report=lines.append)
    assert (outcome.made, len(outcome.broken)) == (3, 3)
    for line, name in zip(lines, ("bad.avi", "cut.avi", "sound.mkv"), strict=True):
        assert line.startswith("warning: skipped: ") and name in line
    assert not (tmp_path / "rgb/Run/bad").exists()
    with pytest.raises(DataError, match="bad.avi"):
        make_folders(find_videos([videos]), tmp_path / "rgb", FrameRecipe(), strict=True)


def test_two_videos_of_one_name(videos, tmp_path):
    write_video(videos / "Run/v_2.mkv", levels(2))
    with pytest.raises(UsageError, match="two videos would go to one folder"):
        find_videos([videos])


def test_folders_of_unknown_making_are_not_touched(videos, tmp_path):
    other = tmp_path / "rgb/v_2"
    other.mkdir(parents=True)
    (other / "mine.jpg").touch()
    outcome = make_folders(find_videos([videos / "Run/v_2.avi"]), tmp_path / "rgb", FrameRecipe())
    assert "does not say how it was made" in str(outcome.broken[0])
    assert os.listdir(other) == ["mine.jpg"]


def test_flow_picture():
    flow = np.array([[[0, 0], [1, -2], [3, 4], [-100, 100]]], np.float32)
    wanted = [[[128, 128, 128], [144, 96, 164], [176, 192, 208], [0, 255, 255]]]
    assert flow_picture(flow).tolist() == wanted


def test_flow_of_frames(videos, tmp_path):
    make_folders(find_videos([videos]), tmp_path / "rgb", FrameRecipe())
    outcome = make_folders(find_frames(tmp_path / "rgb"), tmp_path / "flow", FlowRecipe(STEADY))
    assert (outcome.made, outcome.pictures) == (3, 6)
    folder = tmp_path / "flow/Run/v_2"
    assert list_frames(folder) == [f"flow_image_v_2.000{k}.jpg" for k in (2, 3, 4)]
    blue, green, red = read_picture(str(folder / "flow_image_v_2.0002.jpg"))[5, 5].astype(int)
    assert abs(red - 160) <= 2 and abs(green - 80) <= 2 and abs(blue - 186) <= 2
    about = json.loads((folder / "frames.json").read_text())
    assert about["kind"] == "flow"
    assert about["made"] == {"method": "steady", "scale": 16.0, "quality": 95}


def test_flow_of_another_method_beside_is_refused(videos, tmp_path):
    make_folders(find_videos([videos]), tmp_path / "rgb", FrameRecipe())
    make_folders(find_frames(tmp_path / "rgb"), tmp_path / "flow", FlowRecipe(STEADY))
    other = FlowMethod("other", STEADY.compute)
    with pytest.raises(DataError, match=r"another way.*steady.*other"):
        make_folders(find_frames(tmp_path / "rgb"), tmp_path / "flow", FlowRecipe(other))
    with pytest.raises(DataError, match="got flow, wanted rgb"):
        make_folders(find_videos([videos]), tmp_path / "flow", FrameRecipe())
    with pytest.raises(DataError, match="pictures of flow"):
        find_frames(tmp_path / "flow")


def test_flow_is_made_anew_of_frames_that_were(videos, tmp_path):
    make_folders(find_videos([videos]), tmp_path / "rgb", FrameRecipe())
    make_folders(find_frames(tmp_path / "rgb"), tmp_path / "flow", FlowRecipe(STEADY))
    make_folders(find_videos([videos]), tmp_path / "rgb", FrameRecipe(rate=20), force=True)
    outcome = make_folders(find_frames(tmp_path / "rgb"), tmp_path / "flow", FlowRecipe(STEADY))
    assert outcome.made == 3


def test_flow_needs_two_frames_of_one_size(tmp_path):
    make_folders(find_videos([write_video(tmp_path / "a.mkv", levels(1))]), tmp_path / "rgb",
                 FrameRecipe())
    mixed = tmp_path / "rgb/b"
    mixed.mkdir()
    for name, side in (("b.1.jpg", 20), ("b.2.jpg", 24)):
        Image.new("RGB", (side, side)).save(mixed / name)
    (tmp_path / "rgb/c").mkdir()
    for number in (1, 2, 4):
        Image.new("RGB", (20, 20)).save(tmp_path / f"rgb/c/c.{number}.jpg")
    outcome = make_folders(find_frames(tmp_path / "rgb"), tmp_path / "flow", FlowRecipe(STEADY))
    assert "frames are missing (got 'c.4.jpg' after 'c.2.jpg'" in str(outcome.broken.pop())
    assert [str(error).partition("b.2")[0] != "" for error in outcome.broken] == [True, True]
    assert "two frames or more" in str(outcome.broken[0])
    assert "several sizes" in str(outcome.broken[1])
    assert outcome.made == 0


def test_commands(videos, tmp_path, capsys):
    rgb, flow = str(tmp_path / "rgb"), str(tmp_path / "flow")
    assert main(["data", "frames", str(videos), "--out", rgb]) == 0
    assert "3 folders with 9 pictures" in capsys.readouterr().out
    assert main(["data", "flow", rgb, "--out", flow, "--cpu"]) == 0
    assert "3 folders with 6 pictures" in capsys.readouterr().out
    picture = read_picture(str(tmp_path / "flow/Run/v_2/flow_image_v_2.0002.jpg"))
    assert np.abs(picture.astype(int) - 128).max() <= 2  # levels without texture do not move


@pytest.mark.parametrize("flags", [
    ["--rate", "0"], ["--rate", "nan"], ["--size", "24"], ["--size", "0x5"], ["--quality", "0"],
    ["--jobs", "0"]])
def test_impossible_flags(videos, tmp_path, flags, capsys):
    assert main(["data", "frames", str(videos), "--out", str(tmp_path / "rgb"), *flags]) != 0
    assert flags[0] in capsys.readouterr().err


def test_what_is_not_installed_is_named(videos, tmp_path, monkeypatch):
    make_folders(find_videos([videos / "Jump"]), tmp_path / "rgb", FrameRecipe())
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(DataError, match=r"PyAV.*pip install '\.\[video\]'"):
        make_folders(find_videos([videos]), tmp_path / "rgb", FrameRecipe(), strict=True)
    with pytest.raises(DataError, match=r"OpenCV.*pip install '\.\[flow\]'.*--method brox"):
        opencv("dis")


@pytest.mark.parametrize("name", ["dis", "tvl1"])
def test_methods_of_opencv_find_a_motion(name):
    cv2 = pytest.importorskip("cv2")
    if name == "tvl1" and not hasattr(cv2, "optflow"):
        pytest.skip("this OpenCV has no TV-L1")
    first, second, flow = moved("shift", 2)
    found = opencv(name)(first.astype(np.uint8), second.astype(np.uint8))
    assert error(found[10:-10, 10:-10], flow[10:-10, 10:-10]) < 0.5
