"""Commands in a process that lacks what Windows lacks (``tests/harness/windows.py``)."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.solver.tiny import make_task

ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT / "tests" / "harness" / "windows.py"


def run(*words: str, program: tuple[str, ...] = (str(HARNESS),)) -> str:
    """Run a command without oneDNN, which Windows has not; return what it printed."""
    done = subprocess.run(
        [sys.executable, *program, *words], capture_output=True, text=True, check=False,
        env={**os.environ, "CAFFE_LRCN_DNNL": "0", "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_training_resumes_with_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    task = str(make_task(tmp_path))
    run("train", "--solver", task, program=("-m", "caffe_lrcn"))
    want = {path.name: path.read_bytes() for path in Path("out").glob("tiny_iter_20.caffemodel")}
    os.rename("out", "before")

    text = run("train", "--solver", task, "--set", "max_iter=10", "--workers", "1",
               "--sighup_effect", "stop")
    assert "a thread, not by processes: this platform has no anonymous shared memory" in text
    left = Path("out", "tiny_iter_12.caffemodel.99999999.partial")
    left.write_bytes(b"")
    run("train", "--solver", task, "--snapshot", "latest")
    assert not left.exists()
    got = {path.name: path.read_bytes() for path in Path("out").glob("tiny_iter_20.caffemodel")}
    assert got == want and got
    assert Path("out/tiny_log.csv").read_bytes() == Path("before/tiny_log.csv").read_bytes()


def test_a_short_demonstration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("demo", "--images", "20", "--convnet-iterations", "2", "--iterations", "2")
    assert "<svg" in Path("out/demo/index.html").read_text(encoding="utf-8")
    run("draw", str(ROOT / "prototxt" / "lrcn.prototxt"), "net.svg")
    run("check", str(ROOT / "prototxt" / "lrcn_solver.prototxt"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this is such a system")
def test_the_harness_hides_and_refuses():
    program = ("import os, signal, sys; sys.path.insert(0, sys.argv[1])\n"
               "from tests.harness import windows; windows.hide()\n"
               "assert not hasattr(signal, 'SIGHUP') and not hasattr(os, 'pread')\n"
               "try: os.kill(os.getpid(), 0)\n"
               "except AssertionError: print('refused')\n"
               "try: os.fsync(os.open(sys.executable, os.O_RDONLY))\n"
               "except OSError as error: print(error.strerror)")
    assert run(str(ROOT), program=("-c", program)).split("\n")[:2] == ["refused",
                                                                       "Bad file descriptor"]
