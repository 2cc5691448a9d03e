"""The README's example runs as it is written, and its commands exist."""
from __future__ import annotations

import argparse
import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from caffe_lrcn.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    lines = TEXT.replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("    caffe-lrcn ")]


def test_the_example_runs_in_a_checkout():
    example, = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert example.count("\n") <= 12
    result = subprocess.run([sys.executable, "-c", example], cwd=ROOT, text=True,
                            capture_output=True)
    assert result.returncode == 0, result.stderr
    digits, shape = result.stdout.rsplit("\n", 2)[:2]
    assert len(re.findall(r"\d", digits)) == 64 and shape == "(20, 1, 5, 5)"


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_commands_and_flags_exist(words):
    module = importlib.import_module(f"caffe_lrcn.cli.{COMMANDS[words[0]][0]}")
    parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
    module.add_arguments(parser)
    parser.parse_args(words[1:])
    assert all((ROOT / word).is_file() for word in words if word.startswith("prototxt/"))


@pytest.mark.parametrize("target", re.findall(r"`make (\w+)`", TEXT))
def test_targets_exist(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
