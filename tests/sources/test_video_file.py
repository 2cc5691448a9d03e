"""Video files: which pictures come out, and what is said about files that have none."""
import numpy as np
import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.sources.video_file import VideoFile
from tests.tasks.activity.videos import levels, write_sound, write_video


def shown(path, rate=None) -> list[int]:
    """Return the number, from 1, of each picture that comes out."""
    with VideoFile(path) as video:
        return [int(frame[0, 0, 0]) // 10 for frame in video.frames(rate)]


def test_every_picture_comes_once_and_unchanged(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (5, 24, 32, 3), np.uint8)
    path = write_video(tmp_path / "a.mkv", frames)
    with VideoFile(path) as video:
        assert video.rate == 10
        assert (np.stack(list(video.frames())) == frames).all()


@pytest.mark.parametrize("rate, wanted", [
    (10, [1, 2, 3, 4, 5, 6]),
    (5, [1, 3, 5]),
    (20, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]),
    (1, [5]),
    (0.1, [6]),
])
def test_another_rate_repeats_or_leaves_out(tmp_path, rate, wanted):
    assert shown(write_video(tmp_path / "a.mkv", levels(6)), rate) == wanted


def test_pauses_are_filled_at_a_rate(tmp_path):
    path = write_video(tmp_path / "a.mkv", levels(3), times=[0, 1, 5])
    assert shown(path) == [1, 2, 3]
    assert shown(path, 10) == [1, 2, 2, 2, 2, 3]


@pytest.mark.parametrize("times", [None, [0, 1, 5, 6, 7, 20]])
@pytest.mark.parametrize("rate", [None, 3, 10, 24])
def test_length_counts_what_is_shown(tmp_path, times, rate):
    path = write_video(tmp_path / "a.mkv", levels(6), times=times)
    with VideoFile(path) as video:
        assert video.length(rate) == len(shown(path, rate))


def test_length_with_pictures_stored_out_of_order(tmp_path):
    path = write_video(tmp_path / "a.mp4", levels(20, 48, 64), codec="mpeg4", pixels="yuv420p")
    for rate in (None, 7, 25):
        with VideoFile(path) as video:
            assert video.length(rate) == len(shown(path, rate))


def test_length_of_a_file_that_was_cut_off(tmp_path):
    path = write_video(tmp_path / "a.avi", levels(20, 48, 64), codec="mjpeg", pixels="yuvj420p")
    content = path.read_bytes()
    path.write_bytes(content[:len(content) // 2])
    with VideoFile(path) as video, pytest.raises(DataError, match="ends too early"):
        video.length()


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match="nothing.avi' is missing"):
        VideoFile(tmp_path / "nothing.avi")


def test_folder(tmp_path):
    with pytest.raises(DataError, match="a folder, a pipe or a device"):
        VideoFile(tmp_path)


def test_text_is_not_a_video(tmp_path):
    (tmp_path / "a.avi").write_text("hello " * 1000)
    with pytest.raises(DataError, match="a.avi' cannot be read as a video"):
        VideoFile(tmp_path / "a.avi")


def test_a_playlist_fetches_nothing(tmp_path):
    (tmp_path / "a.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n"
                                     "http://127.0.0.1:9/secret.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(DataError, match="a.m3u8"), VideoFile(tmp_path / "a.m3u8") as video:
        list(video.frames())


def test_sound_alone(tmp_path):
    with pytest.raises(DataError, match="has no pictures.*got sound"):
        VideoFile(write_sound(tmp_path / "a.mkv"))


def test_a_file_that_was_cut_off(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (20, 24, 32, 3), np.uint8)
    path = write_video(tmp_path / "a.avi", frames, codec="mpeg4", pixels="yuv420p")
    content = path.read_bytes()
    path.write_bytes(content[:len(content) // 2])
    count = 0
    with pytest.raises(DataError, match=r"a.avi' (ends too early|is damaged)"), \
            VideoFile(path) as video:
        for _ in video.frames():
            count += 1
    assert 0 < count < 20


def test_one_picture(tmp_path):
    path = write_video(tmp_path / "a.mkv", levels(1))
    assert shown(path) == [1]
    assert shown(path, 30) == [1, 1, 1]


@pytest.mark.parametrize("rate", [None, 5, 25])
@pytest.mark.parametrize("threads", [0, 1])
def test_some_pictures_are_those_of_all(tmp_path, rate, threads):
    frames = np.random.default_rng(0).integers(0, 256, (9, 24, 32, 3), np.uint8)
    path = write_video(tmp_path / "a.mp4", frames, codec="mpeg4", pixels="yuv420p")
    with VideoFile(path) as video:
        shown = np.stack(list(video.frames(rate)))
    last = len(shown) - 1
    for numbers in ([0], [1, 1, 3], [2, last, last], [last - 1, last, last + 1, last + 2]):
        with VideoFile(path, threads) as video:
            got = np.stack(list(video.pick(numbers, rate)))
        np.testing.assert_array_equal(got, shown[[n for n in numbers if n <= last]])


def test_only_wanted_pictures_are_converted(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mkv", levels(9))
    with VideoFile(path) as video:
        made = []
        whole = video._pixels
        monkeypatch.setattr(video, "_pixels", lambda frame: made.append(frame) or whole(frame))
        assert [int(pixels[0, 0, 0]) for pixels in video.pick([3, 3, 7])] == [40, 40, 80]
    assert len(made) == 2


@pytest.mark.parametrize("name, codec", [
    ("a.avi", "mpeg4"), ("a.mp4", "mpeg4"), ("a.mkv", "mpeg4"), ("a.flv", "flv"),
    ("a.webm", "libvpx")])
def test_files_that_were_cut_off(tmp_path, name, codec):
    frames = np.random.default_rng(0).integers(0, 256, (20, 48, 64, 3), np.uint8)
    path = write_video(tmp_path / name, frames, codec=codec, pixels="yuv420p")
    for work in (lambda video: list(video.frames()), lambda video: video.length()):
        with VideoFile(path) as video:
            work(video)
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    for work in (lambda video: list(video.frames()), lambda video: video.length()):
        with pytest.raises(DataError, match="a.* (ends too early|cannot be read)"), \
                VideoFile(path) as video:
            work(video)


def test_sound_may_be_longer_than_the_pictures(tmp_path):
    path = write_sound(tmp_path / "a.mkv", seconds=3, beside=levels(5))
    with VideoFile(path) as video:
        assert len(list(video.frames())) == 5
