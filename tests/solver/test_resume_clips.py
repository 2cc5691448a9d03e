"""Training on clips of video files: a stop, a resume, and the list that was read."""
from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.errors import DataError, SnapshotError
from caffe_lrcn.proto.text import read_solver
from caffe_lrcn.solver.solver import Solver
from tests.sources.clips import noisy, write_list
from tests.tasks.activity.videos import write_video

from .test_exact_resume import check_same, make_solver, run

CLIPS = """
layer {{ name: "clips" type: "VideoData" top: "data" top: "label" top: "cont"
  include {{ phase: {phase} }} transform_param {{ crop_size: 5 mirror: true scale: 0.01 }}
  video_data_param {{ source: "list.txt" clip_length: 3 batch_size: 2 new_height: 6 new_width: 8
    {more} }} }}"""
NET = CLIPS.format(phase="TRAIN", more="shuffle: true") + CLIPS.format(phase="TEST", more="") + """
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "x" type: "Reshape" bottom: "fc" top: "x"
  reshape_param { shape { dim: 3 dim: 2 dim: 4 } } }
layer { name: "c" type: "Reshape" bottom: "cont" top: "c"
  reshape_param { shape { dim: 3 dim: 2 } } }
layer { name: "l" type: "Reshape" bottom: "label" top: "l"
  reshape_param { shape { dim: 3 dim: 2 } } }
layer { name: "lstm" type: "LSTM" bottom: "x" bottom: "c" top: "lstm"
  recurrent_param { num_output: 6 weight_filler { type: "uniform" min: -0.5 max: 0.5 } } }
layer { name: "predict" type: "InnerProduct" bottom: "lstm" top: "predict"
  inner_product_param { num_output: 5 axis: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "predict" bottom: "l" top: "loss"
  softmax_param { axis: 2 } }
"""
SOLVER = """
net: "net.prototxt" test_iter: 2 test_interval: 4 base_lr: 0.1 momentum: 0.9 lr_policy: "fixed"
max_iter: 12 display: 3 average_loss: 5 snapshot: 5 snapshot_prefix: "out/tiny" solver_mode: CPU
random_seed: 11
"""


@pytest.fixture
def task(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for number in range(5):
        write_video(tmp_path / f"v{number}.mkv", noisy(number, 4 + number))
    write_list(tmp_path, *(f"v{number} {number}" for number in range(5)))
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    return tmp_path / "solver.prototxt"


@pytest.mark.parametrize("workers", [(0, 0), (0, 2), (2, 0)])
def test_stop_and_resume(task, workers):
    whole = run(make_solver(task, prefix="out/whole"))
    run(make_solver(task, max_iter=5, workers=workers[0]))
    check_same(run(make_solver(task, workers=workers[1]), "latest"), whole)
    assert whole["csv"].count(b"test 0") == 4


@pytest.mark.parametrize("workers", [0, 2])
def test_a_video_that_changes_during_training(task, workers):
    """The run stops and names it; the snapshot before is whole, and so is what it leads to."""
    whole = run(make_solver(task, prefix="out/whole"))
    video = task.parent / "v3.mkv"
    content, status = video.read_bytes(), video.stat()
    solver = make_solver(task, workers=workers)
    solver.step(5)
    solver.snapshot()
    write_video(video, noisy(8, 9))
    with pytest.raises(DataError, match="list.txt:4: layer 'clips': video 'v3.mkv': .* changed"):
        solver.step(30)  # some batches were read ahead
    solver.close()
    video.write_bytes(content)
    os.utime(video, ns=(status.st_atime_ns, status.st_mtime_ns))
    got = run(make_solver(task, workers=workers), "latest")
    np.testing.assert_equal(got["params"], whole["params"])


def test_a_shorter_list_is_refused(task):
    run(make_solver(task, max_iter=5))
    write_list(task.parent, "v0 0", "v1 1")
    solver = Solver(read_solver(task))
    with pytest.raises(SnapshotError, match="became fewer.*got 2 records, wanted 5"):
        solver.solve("latest")
    solver.close()
