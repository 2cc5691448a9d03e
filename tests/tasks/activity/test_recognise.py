"""Recogniser against nets computed by hand."""
from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.errors import DataError, NetError, ShapeError, UsageError, WeightsError
from caffe_lrcn.tasks.activity.recognise import Recogniser
from caffe_lrcn.tasks.activity.windows import crops, windows
from tests.sources.clips import noisy

from . import nets

CLOSE = dict(rtol=1e-4, atol=1e-5)


def prepared(frames, mode="center", flow=False, mean=0.0):
    """(T, K, C, H, W) as the nets' inputs say."""
    return crops(frames, 4, 4, mode, flow).transpose(0, 1, 4, 2, 3) - mean


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    return nets.write_net(tmp_path_factory.mktemp("single"), nets.single_frame())


@pytest.fixture(scope="module")
def lrcn(tmp_path_factory):
    return nets.write_net(tmp_path_factory.mktemp("lrcn"), nets.lrcn())


@pytest.mark.parametrize("mode", ["center", "10"])
@pytest.mark.parametrize("batch", [1, 3, 32])
def test_a_single_frame_net_sees_every_frame_once(single, mode, batch):
    frames = noisy(1, 7, 4, 5)
    found = Recogniser(*single, crops=mode, batch=batch)(frames)
    pictures = prepared(frames, mode)
    wanted = nets.Oracle(single).frames(pictures.reshape(-1, 3, 4, 4))
    wanted = wanted.reshape(7, -1, 3).mean(axis=1)
    np.testing.assert_allclose(found.over_time, wanted, **CLOSE)
    np.testing.assert_allclose(found.average, wanted.mean(axis=0), **CLOSE)


def by_hand(files, frames, size, stride, mode="center", faithful=False):
    """Every window and crop by itself: the mean, and the mean at each frame."""
    oracle, pictures = nets.Oracle(files), prepared(frames, mode)
    said, at = [], [[] for _ in frames]
    for window in windows(len(frames), size, stride, faithful):
        for crop in range(pictures.shape[1]):
            values = oracle.clip(pictures[window, crop])
            said.extend(values)
            for frame, value in zip(window, values, strict=True):
                at[frame].append(value)
    return np.mean(said, axis=0), np.array([np.mean(values, axis=0) for values in at])


@pytest.mark.parametrize(("length", "size", "stride"), [
    (16, 16, 8), (17, 16, 8), (45, 16, 8), (40, 16, 8), (5, 16, 8), (1, 16, 8), (20, 5, 3),
    (12, 4, 4)])
@pytest.mark.parametrize("mode", ["center", "10"])
def test_windows_of_lrcn(lrcn, length, size, stride, mode):
    frames = noisy(2, length, 4, 5)
    found = Recogniser(*lrcn, size=size, stride=stride, crops=mode)(frames)
    average, over_time = by_hand(lrcn, frames, size, stride, mode)
    np.testing.assert_allclose(found.average, average, **CLOSE)
    np.testing.assert_allclose(found.over_time, over_time, **CLOSE)


def test_time_comes_before_columns(lrcn):
    """Frames and columns in the other order give another answer, so these tests would fail."""
    recogniser = Recogniser(*lrcn, size=4, stride=4)
    clips = recogniser.net.clips

    def transposed(features, markers):
        turned = features.swapaxes(0, 1).reshape(features.shape)
        return clips(turned, markers)

    frames = noisy(3, 12, 4, 5)
    average, _ = by_hand(lrcn, frames, 4, 4)
    np.testing.assert_allclose(recogniser(frames).average, average, **CLOSE)
    recogniser.net.clips = transposed
    assert np.abs(recogniser(frames).average - average).max() > 1e-3


def test_many_windows_at_once_and_held_frames(lrcn, monkeypatch):
    """Windows that are run in several goes, with few frames held, are the same windows."""
    frames = noisy(4, 61, 4, 5)
    whole = Recogniser(*lrcn, size=6, stride=4)(frames)
    monkeypatch.setattr("caffe_lrcn.tasks.activity.recognise._ROWS", 12)
    for batch in (1, 7, 64):
        parts = Recogniser(*lrcn, size=6, stride=4, batch=batch)(iter(frames))
        np.testing.assert_allclose(parts.average, whole.average, **CLOSE)
        np.testing.assert_allclose(parts.over_time, whole.over_time, **CLOSE)


def test_faithful_windows_and_crops(lrcn):
    frames = noisy(5, 21, 4, 5)
    found = Recogniser(*lrcn, size=16, faithful=True)(frames)
    average, over_time = by_hand(lrcn, frames, 16, 8, "10", faithful=True)
    np.testing.assert_allclose(found.average, average, **CLOSE)
    np.testing.assert_allclose(found.over_time, over_time, **CLOSE)


@pytest.mark.parametrize("columns", [1, 3, 10])
@pytest.mark.parametrize("length", [1, 3, 4, 9])
def test_a_net_with_sizes_in_numbers(tmp_path, lrcn, columns, length):
    """The original's form: T and N in Reshape, markers (T*N,)."""
    files = nets.write_net(tmp_path, nets.fixed_lrcn(4, columns))[0], lrcn[1]
    frames = noisy(6, length, 4, 5)
    fixed, free = (Recogniser(*net, size=4, stride=2, crops="10") for net in (files, lrcn))
    assert (fixed.net.steps, fixed.net.columns) == (4, columns)
    assert (free.net.steps, free.net.columns) == (None, None)
    np.testing.assert_allclose(fixed(frames).over_time, free(frames).over_time, **CLOSE)
    streams = [np.array(list(Recogniser(*net, size=4).stream(frames, 3)))
               for net in (files, lrcn)]
    np.testing.assert_allclose(*streams, **CLOSE)


@pytest.mark.parametrize("chunk", [1, 4, 16, 100])
def test_a_stream_is_one_window(lrcn, single, chunk):
    """The state is carried on over chunks, and begins anew with the next stream."""
    frames = noisy(7, 23, 4, 5)
    for files in (lrcn, single):
        recogniser = Recogniser(*files, size=23, stride=23, crops="10")
        wanted = recogniser(frames).over_time
        for _ in range(2):
            np.testing.assert_allclose(list(recogniser.stream(iter(frames), chunk)), wanted,
                                       **CLOSE)


def test_a_stream_says_a_chunk_before_it_reads_the_next(lrcn):
    read = []

    def frames():
        for number, frame in enumerate(noisy(8, 9, 4, 5)):
            read.append(number)
            yield frame

    stream = Recogniser(*lrcn).stream(frames(), 3)
    next(stream)
    assert len(read) == 3


def flow_net(tmp_path, text, stated):
    return nets.write_net(tmp_path, text(f"transform_param {{ {stated} }} {nets.SIZED}"))


@pytest.mark.parametrize("text", [nets.single_frame, nets.lrcn])
def test_flow_is_turned_around_where_it_is_mirrored(tmp_path, text):
    files = flow_net(tmp_path, text, "crop_size: 4 flow: true mean_value: 128 scale: 0.5")
    frames = noisy(9, 3, 4, 5)
    recogniser = Recogniser(*files, crops="10", size=3, stride=3)
    assert recogniser.flow
    pictures = prepared(frames, "10", flow=True, mean=128.0) * 0.5
    oracle = nets.Oracle(files)
    what = oracle.clip if recogniser.recurrent else oracle.frames
    wanted = np.mean([what(pictures[:, crop]) for crop in range(10)], axis=0)
    np.testing.assert_allclose(recogniser(frames).over_time, wanted, **CLOSE)


def test_flow_of_the_original(tmp_path):
    """LRCN: nothing is turned around; single frames: all crops but five of each 16 frames."""
    stated = "crop_size: 4 flow: true"
    frames = noisy(10, 18, 4, 5)
    pictures = prepared(frames, "10")
    files = flow_net(tmp_path / "a", nets.lrcn, stated)
    oracle = nets.Oracle(files)
    found = Recogniser(*files, size=18, stride=18, faithful=True)(frames).over_time
    plain = np.mean([oracle.clip(pictures[:, crop]) for crop in range(10)], axis=0)
    np.testing.assert_allclose(found, plain, **CLOSE)
    files = flow_net(tmp_path / "b", nets.single_frame, stated)
    turned = pictures.astype(np.int64)
    for frame in range(18):
        turned[frame, 0 if frame % 16 else 5:, 2] = 255 - turned[frame, 0 if frame % 16 else 5:, 2]
    wanted = nets.Oracle(files).frames(turned.reshape(-1, 3, 4, 4)).reshape(18, 10, 3).mean(axis=1)
    for batch in (10, 50, 1000):
        found = Recogniser(*files, faithful=True, batch=batch)(frames).over_time
        np.testing.assert_allclose(found, wanted, **CLOSE)


def test_a_mean_picture_is_cropped_and_mirrored_like_the_frame(tmp_path):
    from caffe_lrcn.proto import caffe_pb2
    mean = np.random.default_rng(0).uniform(0, 200, (3, 4, 5)).astype(np.float32)
    blob = caffe_pb2.BlobProto(channels=3, height=4, width=5, num=1, data=mean.ravel())
    (tmp_path / "mean.binaryproto").write_bytes(blob.SerializeToString())
    files = nets.write_net(tmp_path, nets.single_frame(
        'transform_param { crop_size: 4 mean_file: "mean.binaryproto" }' + nets.SIZED))
    frames = noisy(11, 2, 4, 5)
    less = frames - mean.transpose(1, 2, 0)
    wanted = nets.Oracle(files).frames(prepared(less, "10").reshape(-1, 3, 4, 4))
    np.testing.assert_allclose(Recogniser(*files, crops="10")(frames).over_time,
                               wanted.reshape(2, 10, 3).mean(axis=1), **CLOSE)


@pytest.mark.parametrize(("stated", "size", "faithful", "wanted"), [
    (nets.PLAIN, (100, 400), False, (240, 320)), (nets.PLAIN, (100, 400), True, (240, 320)),
    (nets.PLAIN, (300, 200), False, (240, 320)), (nets.PLAIN, (300, 200), True, (300, 200)),
    (nets.PLAIN, (300, 400), False, (300, 400)),
    (nets.PLAIN + nets.SIZED, (300, 400), True, (4, 5)),
    (nets.PLAIN + "image_data_param { min_height: 8 min_width: 8 }", (4, 16), False, (8, 32))])
def test_sizes_of_frames(tmp_path, stated, size, faithful, wanted):
    files = nets.write_net(tmp_path, nets.single_frame(stated))
    assert Recogniser(*files, faithful=faithful).input.size_of(*size) == wanted
    assert Recogniser(*files, frame_size=(7, 9)).input.size_of(*size) == (7, 9)


def test_what_the_input_does_not_say_is_assumed_with_a_warning(tmp_path, caplog):
    files = nets.write_net(tmp_path, nets.single_frame(""))
    found = Recogniser(*files).input.preparation.transform
    assert "assumed: less 103.939, 116.779, 123.68" in caplog.text
    assert found.crop_size == 4 and found.mean.tolist() == pytest.approx([103.939, 116.779, 123.68])
    flow = Recogniser(*files, flow=True).input
    assert flow.flow and flow.preparation.transform.mean.tolist() == [128, 128, 128]
    caplog.clear()
    Recogniser(*files, mean=[1, 2, 3])
    assert "assumed" not in caplog.text


def test_frames_that_do_not_fit(single, tmp_path):
    frames = list(noisy(12, 3, 4, 5))
    with pytest.raises(DataError, match=r"frame 3 has another size.*got 6x5.*wanted 4x5"):
        Recogniser(*single)([*frames[:2], noisy(1, 1, 6, 5)[0]])
    with pytest.raises(DataError, match="no frames"):
        Recogniser(*single)([])
    whole = nets.write_net(tmp_path, nets.single_frame("image_data_param { new_height: 9 "
                                                       "new_width: 9 }"))
    with pytest.raises(ShapeError, match=r"got 9x9.*wanted 4x4.*--size 4x4"):
        Recogniser(*whole)(frames)
    Recogniser(*whole, frame_size=(4, 4))(frames)


def test_wrong_use(single, lrcn, tmp_path):
    with pytest.raises(UsageError, match="got 2, wanted 3"):
        Recogniser(*single, classes=["a", "b"])
    assert Recogniser(*single).classes == ["class 0", "class 1", "class 2"]
    with pytest.raises(UsageError, match="stride"):
        Recogniser(*lrcn, size=4, stride=5)
    with pytest.raises(UsageError, match="unknown crops"):
        Recogniser(*lrcn, crops="5")
    with pytest.raises(WeightsError, match="another shape"):
        Recogniser(lrcn[0], single[1])
    files = nets.write_net(tmp_path, nets.fixed_lrcn(4, 3))
    with pytest.raises(UsageError, match="longer than the clips"):
        Recogniser(*files, size=5)
    with pytest.raises(UsageError, match="too few columns"):
        list(Recogniser(*files, size=4, crops="10").stream(noisy(1, 2, 4, 5)))


@pytest.mark.parametrize(("text", "message"), [
    (nets.markers(3, 2) + 'layer { name: "p" type: "Softmax" bottom: "clip_markers" top: "p" }',
     "does not take frames"),
    (nets.single_frame().replace('"probs"', '"p"') + 'layer { name: "q" type: "Power" '
     'bottom: "fc" top: "q" }', "which output"),
    (nets.single_frame().replace('"Softmax"', '"TanH"').replace("softmax_param { axis: 1 }", ""),
     "not a probability")])
def test_nets_of_another_kind(tmp_path, text, message):
    files = nets.write_net(tmp_path, text)
    with pytest.raises(NetError, match=message):
        Recogniser(*files)(noisy(1, 2, 4, 5))


def test_a_crop_that_the_input_does_not_have(tmp_path):
    files = nets.write_net(tmp_path, nets.single_frame("transform_param { crop_size: 3 }"))
    with pytest.raises(ShapeError, match="what is said about it"):
        Recogniser(*files)


def test_windows_are_as_long_as_the_clips_of_the_definition(lrcn, single, tmp_path):
    assert (Recogniser(*lrcn).size, Recogniser(*lrcn).stride) == (3, 1)
    one = nets.write_net(tmp_path, nets.lrcn().replace("dim: 3 dim: 2 } }", "dim: 1 dim: 6 } }"))
    assert (Recogniser(*one).size, Recogniser(*one).stride) == (16, 8)
    assert Recogniser(*lrcn, size=7).stride == 3
