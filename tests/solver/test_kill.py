"""Runs that are killed with SIGKILL and resumed end as if nothing had happened."""
from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from caffe_lrcn.proto.weights_io import read_solverstate, read_weights
from caffe_lrcn.solver.resume_file import read_resume_file

from .tiny import make_task

ROOT = Path(__file__).parents[2]


def start(folder: Path, moment: str) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.solver.kill_driver", str(folder / "solver.prototxt"),
         moment], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def run(folder: Path, moment: str = "never") -> int:
    process = start(folder, moment)
    process.communicate()
    return process.returncode


def final(folder: Path) -> dict:
    stem = folder / "out" / "tiny_iter_20"
    resume = read_resume_file(f"{stem}.resume")
    return {"weights": [layer.blobs for layer in read_weights(f"{stem}.caffemodel").layers],
            "history": read_solverstate(f"{stem}.solverstate").history,
            "csv": (folder / "out" / "tiny_log.csv").read_bytes(),
            "losses": resume.losses, "train": resume.train, "tests": resume.tests}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("whole")
    make_task(folder)
    assert run(folder) == 0
    return final(folder)


# The third snapshot is killed: in the middle of its files, and before each of its renames. Four
# calls of fsync belong to a snapshot's files and folder, one to the CSV log.
@pytest.mark.parametrize("moment", ["fsync:12", "fsync:13", "rename:7", "rename:8", "rename:9",
                                    "fsync:15"])
def test_killed_inside_a_snapshot(tmp_path, whole, moment):
    make_task(tmp_path)
    assert run(tmp_path, moment) == -signal.SIGKILL
    assert run(tmp_path) == 0
    assert not list((tmp_path / "out").glob("*.partial"))
    np.testing.assert_equal(final(tmp_path), whole)


def test_killed_at_random_moments(tmp_path, whole):
    make_task(tmp_path)
    killed = 0
    while killed < 4:
        process = start(tmp_path, "never")
        assert process.stdout.readline() == b"ready\n"
        time.sleep(random.random() * 0.5)
        process.kill()
        process.communicate()
        killed += 1
    assert run(tmp_path) == 0
    np.testing.assert_equal(final(tmp_path), whole)
