"""A user's reader of clips in Python, as LRCN users wrote them, feeds an LRCN."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.proto.weights_io import read_weights
from tests.sources.clips import noisy, write_frames

ROOT = Path(__file__).parents[2]
NET = """
layer { name: "reader" type: "Python" top: "data" top: "label" top: "clip_markers"
  python_param { module: "tests.pycaffe.clip_reader" layer: "LAYER"
    param_str: "{'root': 'videos', 'clips': 3, 'frames': 4}" } }
layer { name: "fc6" type: "InnerProduct" bottom: "data" top: "fc6"
  inner_product_param { num_output: 5 weight_filler { type: "gaussian" std: 0.01 } } }
layer { name: "reshape-data" type: "Reshape" bottom: "fc6" top: "reshape-data"
  reshape_param { shape { dim: 4 dim: 3 dim: 5 } } }
layer { name: "reshape-label" type: "Reshape" bottom: "label" top: "reshape-label"
  reshape_param { shape { dim: 4 dim: 3 } } }
layer { name: "reshape-cm" type: "Reshape" bottom: "clip_markers" top: "reshape-cm"
  reshape_param { shape { dim: 4 dim: 3 } } }
layer { name: "lstm1" type: "LSTM" bottom: "reshape-data" bottom: "reshape-cm" top: "lstm1"
  recurrent_param { num_output: 6 weight_filler { type: "uniform" min: -0.1 max: 0.1 } } }
layer { name: "fc8-final" type: "InnerProduct" bottom: "lstm1" top: "fc8-final"
  inner_product_param { num_output: 4 axis: 2 weight_filler { type: "gaussian" std: 0.1 } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc8-final" bottom: "reshape-label" top: "loss"
  softmax_param { axis: 2 } }
"""
SOLVER = """net: "net.prototxt" base_lr: 0.1 momentum: 0.9 lr_policy: "fixed" display: 1 max_iter: 8
snapshot: 3 snapshot_prefix: "out" solver_mode: CPU random_seed: 3 clip_gradients: 5"""


@pytest.fixture
def folder(tmp_path):
    """A folder with five videos of four classes."""
    for number in range(5):
        write_frames(tmp_path / "videos" / f"v{number}_{number % 4}",
                     noisy(number, 5 + number, 10, 12))
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    return tmp_path


def train(folder, layer, *flags):
    (folder / "net.prototxt").write_text(NET.replace("LAYER", layer))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "caffe_lrcn.cli.main", "train", "--solver", "solver.prototxt",
         *flags], cwd=folder, env=environment, capture_output=True, text=True, timeout=60,
        check=False)


def weights(folder):
    return {layer.name: [np.array(blob) for blob in layer.blobs]
            for layer in read_weights(str(folder / "out_iter_8.caffemodel")).layers}


def test_training_and_resuming(folder):
    done = train(folder, "ResumableClipReader")
    assert done.returncode == 0, done.stderr
    whole = weights(folder)
    (folder / "out_iter_8.caffemodel").unlink()
    done = train(folder, "ResumableClipReader", "--snapshot", "out_iter_3.solverstate")
    assert done.returncode == 0, done.stderr
    assert "cannot be exact" not in done.stderr
    np.testing.assert_equal(weights(folder), whole)


def test_a_reader_without_a_state_is_told_of(folder):
    done = train(folder, "ClipReader", "--set", "max_iter=3")
    assert done.returncode == 0, done.stderr
    assert "ClipReader has no state() and restore(): a run that is resumed from this snapshot " \
        "cannot be exact" in done.stderr


def test_an_error_of_the_pool_stops_the_run(folder):
    (folder / "videos" / "v3_3" / "v3_3.0005.png").write_bytes(b"nonsense")
    done = train(folder, "ClipReader")
    assert done.returncode != 0
    assert "v3_3.0005.png' cannot be read" in done.stderr
