"""Clips of videos: which frames, in which order, and what a changed video leads to."""
from __future__ import annotations

import os
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.sources.base import Random
from caffe_lrcn.sources.batcher import BatchSpec
from caffe_lrcn.sources.clip_list import read_video_list
from caffe_lrcn.sources.orders import OneEach, Permutations
from caffe_lrcn.sources.original_clips import OriginalClipTransform
from caffe_lrcn.sources.records.clips import ClipRecords, Cutting, Sizing
from caffe_lrcn.sources.resize import resize
from caffe_lrcn.sources.transform import Picture, Transform
from caffe_lrcn.sources.video_file import VideoFile
from tests.sources.clips import marked, noisy, write_frames, write_list
from tests.tasks.activity.videos import write_video


def records(folder, *videos, cutting=None, rate=None, size=(6, 8)):
    """Write videos as folders and return a reader of their clips."""
    for number, frames in enumerate(videos):
        write_frames(folder / f"v{number}", frames)
    return listed(folder, len(videos), cutting, rate, size)


def listed(folder, count, cutting=None, rate=None, size=(6, 8)):
    path = write_list(folder, *(f"v{number} {number + 5}" for number in range(count)))
    return ClipRecords(read_video_list(path, "", (path,), "rgb", rate), cutting or Cutting(3),
                       Sizing(size), rate)


def spec(reader, batch_size=2, drawn=True, shuffle=False, seed=1, transform=None, rand_skip=0):
    return BatchSpec(partial(replace, reader), OneEach(reader.clips, drawn, shuffle, rand_skip),
                     batch_size, Random(seed, 0, "clips"), transform or Transform(),
                     group=reader.cutting.length, time_major=True)


def batches(batch_spec, count):
    """Return data, labels and markers of some batches, each (batches, T, N, ...)."""
    source, cursor, found = batch_spec.open(), batch_spec.start_cursor(), []
    for _ in range(count):
        batch = source.batch(cursor)
        cursor = batch.next_cursor
        found.append(batch.arrays)
    shape = (count, batch_spec.group, batch_spec.batch_size)
    return [np.stack(arrays).reshape(*shape, *arrays[0].shape[1:])
            for arrays in zip(*found, strict=True)]


def test_batches_are_time_major(tmp_path):
    reader = records(tmp_path, marked(0, 3), marked(1, 3), marked(2, 3), marked(3, 3))
    batch_spec = spec(reader)
    first = batch_spec.open().batch(batch_spec.start_cursor())
    # Frame 0 of both videos, then frame 1 of both: T x N, flattened.
    assert first.arrays[0][:, 0, 0, 0].tolist() == [0, 50, 1, 51, 2, 52]
    assert first.arrays[1].tolist() == [5, 6, 5, 6, 5, 6]
    assert first.arrays[2].tolist() == [0, 0, 1, 1, 1, 1]
    second = batch_spec.open().batch(first.next_cursor)
    assert second.arrays[0][:, 0, 0, 0].tolist() == [100, 150, 101, 151, 102, 152]


def test_list_order_goes_on_across_the_end(tmp_path):
    reader = records(tmp_path, *(marked(video, 4) for video in range(3)))
    _, labels, markers = batches(spec(reader, 2), 3)
    assert labels[:, 0].tolist() == [[5, 6], [7, 5], [6, 7]]
    assert (labels == labels[:, :1]).all()
    assert (markers[:, 0] == 0).all() and (markers[:, 1:] == 1).all()


def test_a_batch_may_be_larger_than_the_list(tmp_path):
    reader = records(tmp_path, marked(0, 4), marked(1, 9))
    data, labels, _ = batches(spec(reader, 5), 1)
    assert labels[0, 0].tolist() == [5, 6, 5, 6, 5]
    assert (data[0, :, :, 0, 0, 0] // 50 + 5 == labels[0]).all()


def test_shuffling_permutes_each_epoch(tmp_path):
    reader = records(tmp_path, *(marked(video, 3) for video in range(5)))
    labels = batches(spec(reader, 5, shuffle=True), 8)[1][:, 0]
    assert all(sorted(epoch) == [5, 6, 7, 8, 9] for epoch in labels.tolist())
    assert len({tuple(epoch) for epoch in labels.tolist()}) > 4


def test_rand_skip_begins_inside_the_list(tmp_path):
    reader = records(tmp_path, *(marked(video, 3) for video in range(5)))
    begins = {spec(reader, seed=seed, rand_skip=3).start_cursor()["record"] for seed in range(30)}
    assert begins == {0, 1, 2}


def test_drawn_starts_reach_both_ends(tmp_path):
    data = batches(spec(records(tmp_path, marked(0, 7)), 1), 100)[0][:, :, 0, 0, 0, 0]
    assert (np.diff(data, axis=1) == 1).all()
    counts = np.bincount(data[:, 0].astype(int))
    assert len(counts) == 5 and counts.min() > 8  # starts 0 to 4, frames 0 to 6


@pytest.mark.parametrize("frames, stride, wanted", [
    (7, 1, [2, 3, 4]), (8, 1, [2, 3, 4]), (3, 1, [0, 1, 2]), (7, 2, [1, 3, 5]), (5, 2, [0, 2, 4]),
    (7, 3, [0, 3, 6])])
def test_the_middle_clip(tmp_path, frames, stride, wanted):
    reader = records(tmp_path, marked(0, frames), cutting=Cutting(3, stride))
    data = batches(spec(reader, 1, drawn=False), 2)[0]
    assert data[:, :, 0, 0, 0, 0].tolist() == [wanted, wanted]


@pytest.mark.parametrize("frames, stride, wanted", [
    (1, 1, [0, 0, 0]), (2, 1, [0, 1, 1]), (3, 2, [0, 2, 2]), (4, 2, [0, 2, 3])])
def test_the_last_frame_of_a_short_video_is_repeated(tmp_path, frames, stride, wanted):
    reader = records(tmp_path, marked(0, frames), cutting=Cutting(3, stride))
    assert batches(spec(reader, 1), 1)[0][0, :, 0, 0, 0, 0].tolist() == wanted


@pytest.mark.parametrize("count, flow, starts", [
    (20, False, {1, 2, 3, 4}), (20, True, {0, 1, 2, 3}), (17, False, {1}), (17, True, {0}),
    (16, True, {0}), (16, False, set()), (15, False, set()), (15, True, set())])
def test_the_original_s_starts(count, flow, starts):
    # CAFFE-QUIRK
    # int(u * (n - 16) + 2) of files that are numbered from 1, of flow from 2.
    cutting = Cutting(16, faithful=True, flow=flow)
    u = np.linspace(0, 1, 1000, endpoint=False)
    files = {int(x) - (2 if flow else 1) for x in u * (count - 16) + 2} if count >= 16 else set()
    if (count, flow) == (16, False):
        files = set()  # its last file is not there
    assert files == starts
    clips = cutting.clips(count)
    assert {int(cutting.frames(clip, count)[0]) for clip in range(clips)} == starts
    assert all(cutting.frames(clip, count)[-1] - cutting.frames(clip, count)[0] == 15
               for clip in range(clips))


def test_one_crop_and_one_flip_a_clip(tmp_path):
    transform = Transform(mirror=True, crop_size=4)
    still = np.repeat(noisy(0, 1), 5, axis=0)
    data = batches(spec(records(tmp_path, still), 1, transform=transform), 40)[0][:, :, 0]
    assert (data == data[:, :1]).all()
    flipped, places = 0, set()
    for clip in data[:, 0]:
        for flip in (False, True):
            for y in range(3):
                for x in range(5):
                    piece = still[0, y:y + 4, x:x + 4, :]
                    piece = piece[:, ::-1] if flip else piece
                    if (piece.transpose(2, 0, 1) == clip).all():
                        flipped += flip
                        places.add((y, x))
    assert 8 < flipped < 32 and len(places) > 8


def test_the_draw_of_a_start_is_not_that_of_a_flip(tmp_path):
    frames = marked(0, 4).copy()
    frames[:, :, :4] = 200  # left, unless mirrored
    data = batches(spec(records(tmp_path, frames), 1, transform=Transform(mirror=True)), 60)[0]
    flips = data[:, 0, 0, 0, 0, 0] != 200
    starts = np.minimum(data[:, 0, 0, 0, 0, 0], data[:, 0, 0, 0, 0, -1])
    assert {(int(start), bool(flip)) for start, flip in zip(starts, flips, strict=True)} == {
        (0, False), (0, True), (1, False), (1, True)}


def test_draws_belong_to_the_record(tmp_path):
    reader = records(tmp_path, *(noisy(video, 9) for video in range(3)))
    transform = Transform(mirror=True, crop_size=4)
    one = batches(spec(reader, 1, shuffle=True, transform=transform), 12)[0]
    four = batches(spec(reader, 4, shuffle=True, transform=transform), 3)[0]
    np.testing.assert_array_equal(one[:, :, 0], four.transpose(0, 2, 1, 3, 4, 5).reshape(
        12, 3, 3, 4, 4))


@pytest.mark.parametrize("flow_sum, wanted", [(256, [[255, 255], [128, 56], [1, 186]]),
                                              (255, [[255, 254], [127, 55], [0, 185]])])
def test_mirrored_flow_by_hand(flow_sum, wanted):
    x = np.array([[1, 0], [200, 128], [70, 255]], np.uint8)
    picture = np.stack([x // 2, x // 3, x], axis=2)  # magnitude, y, x as BGR
    transform, mirrored = Transform(mirror=True, flow=True, flow_sum=flow_sum), 0
    for seed in range(20):
        out = np.empty((3, 3, 2), np.float32)
        transform.apply(Picture(picture, encoded=True), np.random.default_rng(seed), out)
        if (out[2] != x).any():
            mirrored += 1
            assert out[2].tolist() == wanted
            assert (out[:2] == picture[:, ::-1, :2].transpose(2, 0, 1)).all()
        else:
            assert (out == picture.transpose(2, 0, 1)).all()
    assert 3 < mirrored < 17


def test_what_the_original_does_to_pictures():
    # CAFFE-QUIRK
    pixels = noisy(3, 1, 12, 14)[0]
    transform = OriginalClipTransform(8, (10, 11), np.float32([1, 2, 3]), flow=True)
    assert transform.shape(pixels.shape) == (3, 8, 8)
    mean = np.array([1, 2, 3])[:, None, None]
    squashed, places = 0, set()
    for seed in range(200):
        out = np.empty((3, 8, 8), np.float32)
        transform.apply(Picture(pixels), np.random.default_rng(seed), out)
        if (out + mean == resize(pixels, 8, 8).transpose(2, 0, 1)).all():
            squashed += 1
            continue
        mirrored = pixels[:, ::-1].transpose(2, 0, 1).astype(float)
        mirrored[2] = 255 - mirrored[2]
        places |= {(y, x) for y in range(5) for x in range(7)
                   if (mirrored[:, y:y + 8, x:x + 8] == out + mean).all()}
    assert 70 < squashed < 130
    assert places == {(y, x) for y in range(2) for x in range(3)}  # never 2 and 3


@pytest.mark.parametrize("shape, area", [((8, 20, 3), (10, 11)), ((20, 20, 3), (8, 11))])
def test_the_original_needs_room_to_crop(shape, area):
    with pytest.raises(DataError, match="not larger than the crop .got 8 pixels"):
        OriginalClipTransform(8, area).shape(shape)


@pytest.mark.parametrize("size, wanted", [
    ((240, 320), (240, 320)), ((239, 400), (240, 320)), ((300, 319), (240, 320)),
    ((300, 400), (300, 400))])
def test_small_pictures_become_240_by_320(size, wanted):
    assert Sizing().of(*size) == wanted
    assert Sizing((5, 7)).of(*size) == (5, 7)


@pytest.mark.parametrize("rate", [None, 5, 25])
def test_files_and_folders_give_the_same_pixels(tmp_path, rate):
    for number, count in enumerate((9, 4)):
        write_video(tmp_path / f"v{number}.mkv", noisy(number, count, 24, 32))
    files = listed(tmp_path, 2, Cutting(3, 2), rate, (24, 32))
    (tmp_path / "folders").mkdir()
    shown = []
    for number in range(2):
        with VideoFile(tmp_path / f"v{number}.mkv") as file:
            shown.append(np.stack(list(file.frames(rate))))
    folders = records(tmp_path / "folders", *shown, cutting=Cutting(3, 2), size=(24, 32))
    assert files.clips == folders.clips
    for one, other in zip(batches(spec(files), 6), batches(spec(folders), 6), strict=True):
        np.testing.assert_array_equal(one, other)


def change_description(folder):
    (folder / "frames.json").write_text((folder / "frames.json").read_text() + "\n")


@pytest.mark.parametrize("kind, change", [
    ("", lambda folder: write_frames(folder, marked(0, 5))),
    ("", lambda folder: (folder / "v0.0002.png").unlink()),
    ("", lambda folder: folder.rename(folder.parent / "gone")),
    ("rgb", lambda folder: (folder / "v0.0002.png").unlink()),
    ("rgb", change_description),
    ("rgb", lambda folder: folder.rename(folder.parent / "gone"))])
def test_a_changed_folder_is_noticed(tmp_path, kind, change):
    write_frames(tmp_path / "v0", marked(0, 4), kind)
    reader = listed(tmp_path, 1)
    batches(spec(reader, 1), 1)
    change(tmp_path / "v0")
    with pytest.raises(DataError, match=r"list.txt:1: video '.*v0'.*(changed|missing|cannot be)"):
        batches(spec(reader, 1), 1)


def test_a_changed_file_is_noticed(tmp_path):
    path = write_video(tmp_path / "v0.mkv", noisy(0, 5))
    reader = listed(tmp_path, 1)
    os.utime(path, ns=(0, 0))
    with pytest.raises(DataError, match="list.txt:1: video '.*v0.mkv': the video has changed"):
        batches(spec(reader, 1), 1)


def test_damage_behind_the_first_frame_is_named(tmp_path):
    write_frames(tmp_path / "v0", marked(0, 3), "rgb")
    reader = listed(tmp_path, 1)
    (tmp_path / "v0" / "v0.0002.png").write_bytes(b"nonsense")
    with pytest.raises(DataError, match="list.txt:1: .*v0.0002.png' cannot be read"):
        batches(spec(reader, 1), 1)
    write_frames(tmp_path / "other", marked(0, 1, 6, 9))
    (tmp_path / "other" / "other.0001.png").rename(tmp_path / "v0" / "v0.0002.png")
    with pytest.raises(DataError, match="list.txt:1: video '.*v0': a frame has another size"):
        batches(spec(reader, 1), 1)


def test_clips_are_numbered_video_by_video():
    order = OneEach((3, 1, 4), drawn=False)
    random = Random(1, 0, "clips")
    run = order.run({"record": 1}, 5, None, Permutations(random))
    assert run.numbers.tolist() == [3, 5]
    assert order.after({"record": 1}, 5) == {"record": 6}
