"""Training on clips of video files is killed with SIGKILL, resumed, and ends with the same bits."""
from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.proto.weights_io import read_solverstate, read_weights
from caffe_lrcn.solver.resume_file import read_resume_file
from tests.sources.clips import noisy, write_list
from tests.tasks.activity.videos import write_video

ROOT = Path(__file__).parents[2]
LAST = 60
NET = """
layer { name: "clips" type: "VideoData" top: "data" top: "label" top: "cont"
  transform_param { crop_size: 20 mirror: true scale: 0.01 }
  video_data_param { source: "list.txt" clip_length: 3 batch_size: 2 shuffle: true
                     new_height: 24 new_width: 32 } }
layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc"
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "x" type: "Reshape" bottom: "fc" bottom: "cont" top: "x"
  reshape_param { num_axes: 1 } }
layer { name: "lstm" type: "LSTM" bottom: "x" bottom: "cont" top: "lstm"
  recurrent_param { num_output: 6 weight_filler { type: "uniform" min: -0.5 max: 0.5 } } }
layer { name: "predict" type: "InnerProduct" bottom: "lstm" top: "predict"
  inner_product_param { num_output: 5 axis: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "predict" bottom: "label" top: "loss"
  softmax_param { axis: 2 } }
"""
SOLVER = f"""net: "net.prototxt" base_lr: 0.05 momentum: 0.9 lr_policy: "fixed" display: 7
average_loss: 5 max_iter: {LAST} snapshot: 4 snapshot_prefix: "out/clips" solver_mode: CPU
random_seed: 5"""


@pytest.fixture(scope="module")
def task(tmp_path_factory) -> Path:
    """A folder with a net, its solver, and videos as people have them: MPEG-4 and H.264.

    They are written once: the encoder's threads do not always write the same file.
    """
    folder = tmp_path_factory.mktemp("task")
    for number in range(5):
        write_video(folder / f"v{number}{('.avi', '.mp4')[number % 2]}",
                    noisy(number, 5 + 3 * number, 48, 64), pixels="yuv420p",
                    codec=("mpeg4", "libx264")[number % 2])
    write_list(folder, *(f"v{number} {number}" for number in range(5)))
    (folder / "net.prototxt").write_text(NET)
    (folder / "solver.prototxt").write_text(SOLVER)
    return folder


def start(folder: Path, workers: int) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "caffe_lrcn", "train", "--solver", "solver.prototxt", "--snapshot",
         "auto", "--workers", str(workers)], cwd=folder, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(folder: Path, workers: int) -> dict:
    """Train to the end, and return what must agree."""
    process = start(folder, workers)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    stem = folder / "out" / f"clips_iter_{LAST}"
    resume = read_resume_file(f"{stem}.resume")
    return {"weights": [layer.blobs for layer in read_weights(f"{stem}.caffemodel").layers],
            "history": read_solverstate(f"{stem}.solverstate").history,
            "csv": (folder / "out" / "clips_log.csv").read_bytes(),
            "losses": resume.losses, "train": resume.train}


@pytest.fixture(scope="module")
def whole(task, tmp_path_factory) -> dict:
    return finish(shutil.copytree(task, tmp_path_factory.mktemp("whole") / "run"), 0)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_killed_in_the_middle(task, tmp_path, whole, workers):
    folder = shutil.copytree(task, tmp_path / "run")
    process, done = start(folder, workers), folder / "out" / "clips_iter_4.solverstate"
    while not done.exists() and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)  # its workers have left too, or stderr would stay open
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "out" / f"clips_iter_{LAST}.caffemodel").exists()
    np.testing.assert_equal(finish(folder, workers), whole)
