"""What ``make`` says where Python is missing, too old or incomplete: one line, before anything."""
from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
#: A Python that runs the words after -c with something of it replaced.
_FAKE = """#!/bin/sh
exec "{python}" -c 'import sys
{change}
exec(sys.argv[2])' "$@"
"""
_OLD = "sys.version_info = ({}, 18, \"final\", 0)"
_WITHOUT = "sys.modules[\"{}\"] = None"

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


@pytest.fixture(autouse=True)
def _as_from_a_shell(monkeypatch):
    """Where the tests are run by make, that one's flags and depth are not for this one."""
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        monkeypatch.delenv(name, raising=False)


def make(folder: Path, python: object) -> subprocess.CompletedProcess[str]:
    for name in ("Makefile", "setup.py"):
        shutil.copy(ROOT / name, folder)
    return subprocess.run(["make", "setup", f"PYTHON={python}"], cwd=folder, text=True,
                          capture_output=True, check=False)


def fake(folder: Path, change: str) -> Path:
    path = folder / "python3"
    path.write_text(_FAKE.format(python=sys.executable, change=change))
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(("change", "message"), [
    (_OLD.format("3, 9"), "is Python 3.9, caffe_lrcn needs 3.10 or later. Name another: make"),
    (_OLD.format("2, 7"), "is Python 2.7, caffe_lrcn needs 3.10 or later"),
    (_WITHOUT.format("venv"), "lacks the modules venv and ensurepip"),
    (_WITHOUT.format("ensurepip"), "apt install python3-venv")])
def test_a_python_that_will_not_do(tmp_path, change, message):
    run = make(tmp_path, fake(tmp_path, change))
    first, rest = run.stderr.split("\n", 1)
    assert run.returncode and first.startswith("error: ") and message in first
    assert run.stdout == "" and rest.startswith("make: ***") and rest.count("\n") == 1
    assert not (tmp_path / ".venv").exists()


def test_no_python(tmp_path):
    run = make(tmp_path, "python-that-is-not-there")
    assert run.stderr.startswith("error: there is no python-that-is-not-there here. Install Python")
    assert not (tmp_path / ".venv").exists()


def test_train_captions_with_the_newest_weights(tmp_path):
    """A run that was stopped, or is there already beyond ITERATIONS, has weights of another name.

    Pictures of every kind are captioned, not only .jpg.
    """
    for name in ("Makefile", "setup.py"):
        shutil.copy(ROOT / name, tmp_path)
    command = tmp_path / ".venv/bin/caffe-lrcn"
    command.parent.mkdir(parents=True)
    command.write_text('#!/bin/sh\necho "$@"\nmkdir -p out\ntouch out/lrcn_iter_30.caffemodel\n')
    command.chmod(0o755)
    (tmp_path / ".venv/installed").touch()
    run = subprocess.run(["make", "-s", "train", "CAPTIONS=a.json", "IMAGES=b", "ITERATIONS=20"],
                         cwd=tmp_path, text=True, capture_output=True, check=True)
    words = run.stdout.splitlines()[-1].split()
    assert words[:2] == ["caption", str(tmp_path / "b")]
    assert words[-2:] == ["--weights", "out/lrcn_iter_30.caffemodel"]


def test_setup_asks_for_the_same_version():
    assert 'python_requires=">=3.10"' in (ROOT / "setup.py").read_text(encoding="utf-8")


def test_a_python_that_will_do_is_used(tmp_path):
    run = make(tmp_path, fake(tmp_path, "sys.version_info = (3, 10, 0, \"final\", 0)"))
    assert "error:" not in run.stderr.split("\n")[0] and "-m venv .venv" in run.stdout
