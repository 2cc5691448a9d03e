"""Clips in HDF5 files: what HDF5Data feeds of them is what VideoData feeds; what is refused."""
from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from caffe_lrcn.backends import get_backend
from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import DataError
from caffe_lrcn.layer_types.base import TEST, TRAIN
from caffe_lrcn.proto.text import read_solver
from caffe_lrcn.solver.solver import Solver
from caffe_lrcn.tasks.activity import clip_files
from caffe_lrcn.tasks.activity.clip_files import ClipRecipe, Written, write_clips
from tests.harness.layers import make_layer
from tests.sources.clips import noisy, write_frames, write_list
from tests.tasks.activity.videos import write_video

RECIPE = ClipRecipe("list.txt", "root", batch_size=2, clip_length=3, size=(6, 8), epochs=2)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a list of five videos, as folders of flow, of frames, and as files."""
    for number in range(5):
        frames = noisy(number, 4 + number)
        write_frames(tmp_path / "root" / f"v{number}", frames, "rgb")
        write_frames(tmp_path / "flow" / f"v{number}", frames, "flow", method="brox")
        write_video(tmp_path / "files" / f"v{number}.mkv", frames)
    write_list(tmp_path, *(f"v{number} {number + 1}" for number in range(5)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def recipe(**fields):
    return ClipRecipe(**{**vars(RECIPE), **fields})


def batches(prototxt, phase, count, seed=1):
    """Return data, label and markers of some batches of a layer."""
    case = make_layer(prototxt, [], phase=phase, seed=seed, backend=get_backend("cpu"))
    seen = []
    for _ in range(count):
        case.forward()
        seen.append([blob.host_data.copy() for blob in case.top])
    case.layer.close()
    return [np.stack(arrays) for arrays in zip(*seen, strict=True)]


VIDEO = """layer {{ name: "data" type: "VideoData" top: "data" top: "label" top: "clip_markers"
  transform_param {{ {transform} mean_value: 3 mean_value: 5 mean_value: 7 scale: 0.3 }}
  video_data_param {{ source: "list.txt" clip_length: 3 batch_size: 2 new_height: 6 new_width: 8
                     {video} }} }}"""
PICTURES = """layer { name: "pictures" type: "HDF5Data" top: "data"
  transform_param { mean_value: 3 mean_value: 5 mean_value: 7 scale: 0.3 }
  hdf5_data_param { source: "out/clips.txt" batch_size: 6 } }"""
REST = """layer { name: "rest" type: "HDF5Data" top: "label" top: "clip_markers"
  hdf5_data_param { source: "out/clips.txt" batch_size: 3 } }"""


@pytest.mark.parametrize("root", ["root", "flow", "files"])
@pytest.mark.parametrize("phase", [TRAIN, TEST])
def test_hdf5_data_feeds_what_video_data_feeds(folder, root, phase):
    flow = root == "flow"
    wanted = recipe(root_folder=root, flow=flow, crop_size=4, mirror=True, shuffle=True, seed=9,
                    phase=phase)
    assert write_clips(wanted, Path("out")) == Written(1, 0, 5)
    video = f'root_folder: "{root}" shuffle: true {"modality: FLOW" if flow else ""}'
    want = batches(VIDEO.format(transform="crop_size: 4 mirror: true", video=video),
                                phase, 5, seed=9)
    got = batches(PICTURES, phase, 6) + batches(REST, phase, 6)
    for one, other in zip(got, want, strict=True):
        np.testing.assert_array_equal(one[:5], other)
        np.testing.assert_array_equal(one[5], other[0])  # after the last batch comes the first


def test_rows_are_time_major(folder):
    write_clips(recipe(phase=TEST), Path("out"))
    with h5py.File("out/clips_0001.h5") as file:
        assert {name: (file[name].dtype.name, file[name].shape) for name in file} == {
            "data": ("uint8", (30, 3, 6, 8)), "label": ("int32", (15, 2)),
            "clip_markers": ("uint8", (15, 2))}
        assert file["label"][:6].tolist() == [[1, 2]] * 3 + [[3, 4]] * 3
        assert file["clip_markers"][:6].tolist() == [[0, 0], [1, 1], [1, 1]] * 2
        second = noisy(1, 5)[1:4].transpose(0, 3, 1, 2)  # its middle three
        np.testing.assert_array_equal(file["data"][1:6:2], second)


NET = """
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "x" type: "Reshape" bottom: "fc" bottom: "clip_markers" top: "x"
  reshape_param { num_axes: 1 } }
layer { name: "lstm" type: "LSTM" bottom: "x" bottom: "clip_markers" top: "lstm"
  recurrent_param { num_output: 6 weight_filler { type: "uniform" min: -0.5 max: 0.5 } } }
layer { name: "predict" type: "InnerProduct" bottom: "lstm" top: "predict"
  inner_product_param { num_output: 6 axis: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "predict" bottom: "label" top: "loss"
  softmax_param { axis: 2 } }
"""


def test_a_net_learns_the_same_from_both(folder):
    def train(data):
        (folder / "net.prototxt").write_text(data + NET)
        (folder / "solver.prototxt").write_text(
            'net: "net.prototxt" base_lr: 0.1 momentum: 0.9 lr_policy: "fixed" max_iter: 5 '
            'random_seed: 4 solver_mode: CPU snapshot_prefix: "s" snapshot_after_train: false')
        solver = Solver(read_solver("solver.prototxt"))
        solver.solve()
        weights = [blob.host_data.copy() for blob in solver.net.learnable_params]
        solver.close()
        return weights

    write_clips(recipe(crop_size=4, mirror=True, shuffle=True, seed=4), Path("out"))
    video = VIDEO.format(transform="crop_size: 4 mirror: true",
                         video='root_folder: "root" shuffle: true')
    for one, other in zip(train(video), train(PICTURES + REST), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def small_files(monkeypatch):
    """Two batches a file."""
    monkeypatch.setattr(clip_files, "_FILE_BYTES", 2 * 6 * 3 * 6 * 8)


def contents(out):
    return {path.name: path.read_bytes() for path in sorted(Path(out).iterdir())}


def test_an_interrupted_run_goes_on(folder, small_files, monkeypatch):
    wanted = recipe(shuffle=True, mirror=True)
    assert write_clips(wanted, Path("whole")) == Written(3, 0, 5)
    written, whole = [], clip_files._write

    def interrupted(path, *rest):
        if len(written) == 1:
            path.with_name(f"{path.name}.999999.partial").touch()  # as a killed run leaves it
            raise KeyboardInterrupt
        written.append(path.name)
        whole(path, *rest)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(clip_files, "_write", interrupted)
        write_clips(wanted, Path("out"))
    assert sorted(os.listdir("out")) == ["clips.json", "clips_0001.h5",
                                         "clips_0002.h5.999999.partial"]
    assert write_clips(wanted, Path("out"), workers=2) == Written(2, 1, 5)
    (folder / "out" / "clips_0002.h5").unlink()
    assert write_clips(wanted, Path("out")) == Written(1, 2, 5)
    assert write_clips(wanted, Path("out")) == Written(0, 3, 5)
    got, want = contents("out"), contents("whole")
    assert got.pop("clips.txt") == want.pop("clips.txt").replace(b"whole", b"out")
    assert got == want


def test_other_clips_are_refused_or_replaced(folder, small_files):
    write_clips(RECIPE, Path("out"))
    with pytest.raises(DataError, match="other clips .got {'epochs': 2}, wanted {'epochs': 1}.*"
                                        "--force"):
        write_clips(recipe(epochs=1), Path("out"))
    write_frames(folder / "root" / "v3", noisy(9, 7), "rgb", rate=5.0)
    with pytest.raises(DataError, match="other clips .got {'videos': "):
        write_clips(RECIPE, Path("out"))
    assert write_clips(recipe(epochs=1), Path("out"), force=True) == Written(2, 0, 3)
    assert sorted(os.listdir("out")) == ["clips.json", "clips.txt", "clips_0001.h5",
                                         "clips_0002.h5"]
    (folder / "out" / "clips.json").unlink()
    with pytest.raises(DataError, match="other clips"):
        write_clips(recipe(epochs=1), Path("out"))


def test_room_is_looked_at_before_anything_is_written(folder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(clip_files.shutil, "disk_usage", lambda path: SimpleNamespace(free=4469))
        with pytest.raises(DataError, match="do not fit on the disk .got 0.0 MB"):
            write_clips(RECIPE, Path("out"))
    assert os.listdir("out") == ["clips.json"]
    monkeypatch.setattr("caffe_lrcn.memory.LARGE", 1)
    monkeypatch.setattr("caffe_lrcn.memory.free_memory", lambda: 100)
    with pytest.raises(DataError, match="a batch of clips does not fit in the memory"):
        write_clips(RECIPE, Path("out"))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_damaged_video_is_named_and_nothing_is_lost(folder, small_files, workers):
    path = folder / "root" / "v4" / "v4.0003.png"
    good = path.read_bytes()
    path.write_bytes(b"nonsense")
    with pytest.raises(DataError, match="list.txt:5: .*v4.0003.png' cannot be read"):
        write_clips(recipe(phase=TEST), Path("out"), workers=workers)
    assert sorted(os.listdir("out")) == ["clips.json", "clips_0001.h5"]
    path.write_bytes(good)
    assert write_clips(recipe(phase=TEST), Path("out")) == Written(2, 1, 5)


def test_command(folder, capsys):
    words = ["data", "frames", "--clips", "list.txt", "--root-folder", "root", "--out", "out",
             "--batch-size", "2", "--clip-length", "3", "--size", "6x8", "--epochs", "2"]
    assert main(words) == 0
    assert capsys.readouterr().out == (
        "5 batches of 2 clips of 3 frames in out; 1 files written, 0 were there already\n"
        "HDF5Data reads them with source: 'out/clips.txt' and batch_size: 6 for data, 3 for label "
        "and clip_markers\n")
    with h5py.File("out/clips_0001.h5") as file:
        got = file["data"][:]
    write_clips(RECIPE, Path("other"))
    with h5py.File("other/clips_0001.h5") as file:
        np.testing.assert_array_equal(got, file["data"][:])


@pytest.mark.parametrize("words, message", [
    ([], "no video is given"), (["--mirror", "root"], "--mirror is for --clips"),
    (["--clip-length", "3", "root"], "--clip-length is for --clips"),
    (["--clips", "list.txt", "root"], "the list names the videos"),
    (["--clips", "none.txt"], "none.txt"),
    (["--clips", "list.txt", "--root-folder", "root", "--crop-size", "300"],
     "the picture is smaller than the crop")])
def test_wrong_flags(folder, words, message, capsys):
    assert main(["data", "frames", "--out", "out", *words]) != 0
    assert message in capsys.readouterr().err
