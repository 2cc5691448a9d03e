"""Small copies of videos for pages."""
import base64
import io

import numpy as np
import pytest
from PIL import Image, features

from caffe_lrcn.tasks.moving_picture import animated, moving_picture

from .activity.videos import levels, write_sound, write_video


def opened(uri):
    head, _, data = uri.partition(",")
    assert head == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def shown(picture):
    """Return the grey level of each picture, and how long all are shown, in seconds."""
    found, total = [], 0
    for number in range(picture.n_frames):
        picture.seek(number)
        picture.load()
        found.append(int(np.asarray(picture.convert("L")).mean().round()))
        total += picture.info["duration"]
    return found, total / 1000


def test_a_video_file(tmp_path):
    video = write_video(tmp_path / "a.avi", levels(20), rate=10)
    with opened(moving_picture(video)) as picture:
        assert picture.size == (32, 24)
        found, seconds = shown(picture)
    np.testing.assert_allclose(found, np.arange(1, 21) * 10, atol=2)
    assert seconds == pytest.approx(2, abs=0.1)


def test_a_long_video_is_thinned_out_and_scaled_down(tmp_path):
    video = write_video(tmp_path / "a.avi", levels(23, 120, 80), rate=10)
    with opened(moving_picture(video, side=30, pictures=6)) as picture:
        assert picture.size == (20, 30)
        found, seconds = shown(picture)
    np.testing.assert_allclose(found, [10, 50, 90, 130, 170, 210], atol=2)
    assert 2 <= seconds <= 2.4


def test_a_folder_of_frames(tmp_path):
    for number, frame in enumerate(levels(9)[:, :, :, ::-1]):
        Image.fromarray(np.ascontiguousarray(frame)).save(tmp_path / f"a.{number:04}.png")
    with opened(moving_picture(tmp_path, pictures=3)) as picture:
        np.testing.assert_allclose(shown(picture)[0], [10, 40, 70], atol=2)


@pytest.mark.parametrize("make", [
    lambda path: path / "missing.avi", lambda path: path, lambda path: write_sound(path / "a.mkv")],
    ids=["missing", "empty folder", "sound"])
def test_what_cannot_be_read(tmp_path, make):
    assert moving_picture(make(tmp_path)) is None


def test_red_stays_red():
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 200
    with opened(animated([red], 1)) as picture:
        assert np.asarray(picture.convert("RGB"))[4, 4].argmax() == 0


def test_without_webp_it_is_png(monkeypatch):
    monkeypatch.setattr(features, "check", lambda name: False)
    uri = animated(levels(5)[..., ::-1], 1)
    assert uri.startswith("data:image/png;base64,")
    with Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) as picture:
        np.testing.assert_allclose(shown(picture)[0], [10, 20, 30, 40, 50], atol=2)
