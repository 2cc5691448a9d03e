"""Clips to features: which frames, in which order, and what is refused."""
from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from caffe_lrcn.backends import get_backend
from caffe_lrcn.errors import DataError, NetError, UsageError
from caffe_lrcn.net.net import Net
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import read_net
from caffe_lrcn.tasks import progress
from caffe_lrcn.tasks.description.clip_net import ClipNet, spread_frames
from tests.tasks.activity.videos import levels, write_video

# Features: mean brightness of each frame, plus its marker.
NET = """
layer {{ name: "data" type: "Input" top: "data"
  input_param {{ shape {{ dim: 6 dim: 3 dim: 8 dim: 8 }} }}
  transform_param {{ crop_size: 8 mean_value: 5 }}
  image_data_param {{ new_height: 8 new_width: 8 }} }}
layer {{ name: "clip_markers" type: "Input" top: "clip_markers"
  input_param {{ shape {{ {markers} }} }} }}
layer {{ name: "mean" type: "Pooling" bottom: "data" top: "mean"
  pooling_param {{ pool: AVE kernel_size: 8 }} }}
layer {{ name: "blue" type: "Slice" bottom: "mean" top: "blue" top: "rest"
  slice_param {{ axis: 1 slice_point: 1 }} }}
layer {{ name: "quiet" type: "Silence" bottom: "rest" }}
layer {{ name: "steps" type: "Reshape" bottom: "blue" top: "steps"
  reshape_param {{ shape {{ dim: 3 dim: -1 }} }} }}
layer {{ name: "marks" type: "Reshape" bottom: "clip_markers" top: "marks"
  reshape_param {{ shape {{ dim: 3 dim: -1 }} }} }}
layer {{ name: "sum" type: "Eltwise" bottom: "steps" bottom: "marks" top: "sum" }}
layer {{ name: "{last}" type: "Reshape" bottom: "sum" top: "{last}"
  reshape_param {{ shape {{ {out} }} }} }}
"""


@pytest.fixture()
def net(tmp_path):
    def make(markers="dim: 3 dim: 2", out="dim: 3 dim: -1 dim: 1", blob=None):
        path = tmp_path / "net.prototxt"
        path.write_text(NET.format(markers=markers, out=out, last="features"))
        Net(read_net(path), get_backend("cpu"), phase=caffe_pb2.TEST).save(
            str(tmp_path / "w.caffemodel"))
        return ClipNet(path, tmp_path / "w.caffemodel", blob)
    return make


@pytest.mark.parametrize(("count", "length", "frames"), [
    (24, 8, [1, 4, 7, 10, 13, 16, 19, 22]), (3, 3, [0, 1, 2]), (1, 4, [0, 0, 0, 0]),
    (2, 4, [0, 0, 1, 1]), (300, 2, [75, 225])])
def test_frames_from_all_over_the_clip(count, length, frames):
    assert spread_frames(count, length).tolist() == frames


def test_features_of_files_and_folders(net, tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "_EVERY", 0)
    write_video(tmp_path / "a.avi", levels(9))  # 10, 20, … 90; frames 1, 4, 7
    write_video(tmp_path / "b.avi", levels(3))
    (tmp_path / "c").mkdir()
    for number, pixels in enumerate(levels(3), start=1):
        Image.fromarray(pixels).save(tmp_path / "c" / f"{number}.png")
    told = []
    found = net().features([tmp_path / "a.avi", tmp_path / "b.avi", tmp_path / "c"],
                           told.append)
    # less the mean of 5, plus markers of 0, 1, 1
    np.testing.assert_allclose(found.ravel(), [50 - 5 + 2 / 3, 20 - 5 + 2 / 3, 20 - 5 + 2 / 3],
                               atol=1e-4)
    assert [line.split(",")[0] for line in told] == ["2 of 3 videos"]
    alone = net().features([tmp_path / "b.avi"])
    np.testing.assert_array_equal(alone, found[1:2])


def test_features_of_each_frame(net, tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "_EVERY", 0)
    for number, count in enumerate((9, 3, 3)):
        write_video(tmp_path / f"{number}.avi", levels(count))
    told = []
    found = [*net().frame_features([tmp_path / f"{number}.avi" for number in range(3)],
                                   told.append)]
    # less the mean of 5, plus markers of 0, 1, 1
    np.testing.assert_allclose(np.stack(found)[..., 0], [
        [20 - 5, 50 - 4, 80 - 4], [10 - 5, 20 - 4, 30 - 4], [10 - 5, 20 - 4, 30 - 4]], atol=1e-4)
    assert [line.split(",")[0] for line in told] == ["2 of 3 videos"]
    flat = [*net(out="dim: 6 dim: 1").frame_features([tmp_path / "0.avi"])]
    np.testing.assert_array_equal(flat, found[:1])
    with pytest.raises(NetError, match="does not have a row for each frame"):
        next(net(out="dim: 2 dim: -1").frame_features([tmp_path / "0.avi"]))


def test_a_row_for_each_clip_is_taken_as_it_is(net, tmp_path):
    write_video(tmp_path / "a.avi", levels(3))
    with pytest.raises(NetError, match="does not have a row for each clip"):
        net(out="dim: -1").features([tmp_path / "a.avi"])
    rows = net(out="dim: 2 dim: -1").features([tmp_path / "a.avi"])
    assert rows.shape == (1, 3)


def test_nets_that_are_refused(net):
    with pytest.raises(NetError, match="does not take clips"):
        net(markers="dim: 6")
    with pytest.raises(UsageError, match="no such blob.*Did you mean 'steps'"):
        net(blob="step")


def test_videos_that_are_refused(net, tmp_path):
    (tmp_path / "a.avi").write_bytes(b"nothing")
    for name in ("a.avi", "b.avi"):
        with pytest.raises(DataError) as caught:
            net().features([tmp_path / name])
        assert name in str(caught.value)
