"""Windows, crops, averages and fusion, against arrays made by hand."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import DataError, ShapeError, UsageError
from caffe_lrcn.io import oversample
from caffe_lrcn.tasks.activity.windows import (
    average,
    crops,
    filled,
    fuse,
    mirrored,
    over_time,
    read_weights,
    windows,
)


def starts(*words, **named):
    found = windows(*words, **named)
    assert all(window == list(range(window[0], window[0] + 16)) for window in found)
    return [window[0] for window in found]


@pytest.mark.parametrize("length, wanted", [
    (16, [0]), (17, [0, 1]), (23, [0, 7]), (24, [0, 8]), (25, [0, 8, 9]), (32, [0, 8, 16]),
    (40, [0, 8, 16, 24])])
def test_the_tail_comes_once(length, wanted):
    assert starts(length) == wanted


def original(length):
    """The original's rule, as classify_video.py has it."""
    return [i if i + 16 < length else length - 16 for i in range(0, length, 8)]


@pytest.mark.parametrize("length", range(16, 70))
def test_the_original_has_the_tail_twice(length):
    found = starts(length, faithful=True)
    assert found == original(length)
    assert len(found) == -(-length // 8)
    assert found.count(length - 16) == 2
    assert starts(length) == sorted(set(found))


@pytest.mark.parametrize("faithful", [False, True])
def test_a_short_video_is_one_short_window(faithful):
    assert windows(1, faithful=faithful) == [[0]]
    assert windows(15, faithful=faithful) == [list(range(15))]
    assert filled(windows(3, 5, 2)[0], 5) == [0, 1, 2, 2, 2]
    assert filled([4, 5], 2) == [4, 5]


def test_other_sizes_cover_every_frame():
    assert windows(7, 3, 2) == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    for length in range(1, 40):
        for size in range(1, 9):
            for stride in range(1, size + 1):
                found = windows(length, size, stride)
                assert {frame for window in found for frame in window} == set(range(length))
                assert len({window[0] for window in found}) == len(found)


@pytest.mark.parametrize("words", [(0,), (5, 0), (5, 2, 0), (20, 4, 5)])
def test_what_cannot_be_cut_is_refused(words):
    with pytest.raises(UsageError, match="cannot be cut"):
        windows(*words)


def test_ten_crops_of_hand_made_frames():
    frame = np.arange(12).reshape(3, 4, 1)
    found = crops(np.stack([frame, frame + 100]), 2, 2, "10")
    assert found.shape == (2, 10, 2, 2, 1)
    corners = [[0, 1, 4, 5], [2, 3, 6, 7], [4, 5, 8, 9], [6, 7, 10, 11], [1, 2, 5, 6]]
    turned = [[b, a, d, c] for a, b, c, d in corners]
    assert found[0].reshape(10, 4).tolist() == corners + turned
    assert (found[1] == found[0] + 100).all()
    assert crops(frame[None], 2, 2).reshape(-1).tolist() == corners[4]


def test_crops_stand_as_pycaffe_s_do():
    frames = np.random.default_rng(1).integers(0, 256, (3, 240, 320, 3)).astype(np.float32)
    wanted = oversample(list(frames), (227, 227))
    np.testing.assert_array_equal(crops(frames, 227, 227, "10").reshape(wanted.shape), wanted)
    np.testing.assert_array_equal(crops(frames, 227, 227)[:, 0], frames[:, 6:233, 46:273])


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_mirrored_flow_turns_the_motion_to_the_right_around(kind):
    picture = np.array([[[1, 2, 128], [3, 4, 228]], [[5, 6, 0], [7, 8, 1]]], kind)
    wanted = [[[3, 4, 28], [1, 2, 128]], [[7, 8, 255], [5, 6, 255]]]
    found = mirrored(picture, flow=True)
    assert found.dtype == kind and found.tolist() == wanted
    assert picture[0, 0, 2] == 128
    assert mirrored(picture).tolist() == picture[:, ::-1].tolist()
    both = crops(picture[None], 2, 2, "10", flow=True)
    assert (both[0, :5] == picture).all() and (both[0, 5:] == found).all()


def test_bad_crops_are_refused():
    with pytest.raises(ShapeError, match="got 3x9, wanted 4x4"):
        crops(np.zeros((1, 3, 9, 3)), 4, 4)
    with pytest.raises(UsageError, match="unknown crops.*got 5"):
        crops(np.zeros((1, 9, 9, 3)), 4, 4, "5")


def test_averages_count_each_frame_of_each_window():
    first = np.array([[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.0, 1.0]]])  # 2 frames, 2 crops
    second = np.array([[0.6, 0.4]])                                         # 1 frame, 1 crop
    np.testing.assert_allclose(average([first, second]), [(0.75 + 0 + 0.6) / 3, 1.65 / 3])
    assert average([first.astype(np.float32)]).dtype == np.float64
    with pytest.raises(DataError, match="no probabilities"):
        average([])


def test_frames_in_two_windows_get_the_mean():
    values = [np.array([[1.0], [0.5]]), np.array([[[0.0], [0.2]], [[0.4], [0.6]]])]
    found = over_time(4, [[0, 1], [1, 2]], values)
    np.testing.assert_allclose(found, [[1], [0.3], [0.5], [np.nan]])
    with pytest.raises(ShapeError, match=r"got 2, wanted 3"):
        over_time(4, [[0, 1, 2]], values[:1])


def test_the_mean_over_time_is_the_average_where_windows_do_not_overlap():
    values = np.random.default_rng(3).random((2, 4, 10, 5))
    found = over_time(8, windows(8, 4, 4), list(values))
    np.testing.assert_allclose(found.mean(axis=0), average(list(values)))


def test_fusion_by_weights_and_by_name():
    rgb, flow = np.array([0.9, 0.1]), np.array([0.3, 0.7])
    np.testing.assert_allclose(fuse([rgb, flow], read_weights("average", 2)), [0.6, 0.4])
    np.testing.assert_allclose(fuse([rgb, flow], read_weights("third", 2)), [0.5, 0.5])
    np.testing.assert_allclose(fuse([rgb, flow], [2, 0]), rgb)
    np.testing.assert_allclose(fuse([rgb, flow, flow], [1, 1, 1]), [0.5, 0.5])
    assert read_weights("average", 3) == (1 / 3,) * 3
    assert read_weights("1/3,2/3", 2) == read_weights("third", 2)
    assert read_weights("0.5,2", 2) == (0.5, 2)


@pytest.mark.parametrize("text, nets", [("third", 3), ("1,2", 3), ("half", 1), ("1/0", 1), ("", 1)])
def test_weights_that_do_not_fit_are_refused(text, nets):
    with pytest.raises(UsageError, match="weight"):
        read_weights(text, nets)


@pytest.mark.parametrize("weights", [[1], [1, -1], [0, 0], [1, np.nan], [np.inf, 1]])
def test_weights_that_mean_nothing_are_refused(weights):
    with pytest.raises(UsageError, match="weight"):
        fuse([np.ones(2), np.ones(2)], weights)


def test_nets_with_other_classes_cannot_be_fused():
    with pytest.raises(ShapeError, match="same frames and classes"):
        fuse([np.ones(2), np.ones(3)], [1, 1])
