"""The commands of docs/activity.md and of the solvers: flags exist, and so do the definitions."""
import argparse
import importlib
import re
import shlex
from pathlib import Path

import pytest

from caffe_lrcn.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "prototxt" / "activity"
DOC = (ROOT / "docs" / "activity.md").read_text()


def commands():
    for line in re.findall(r"^    (caffe-lrcn .*)$", DOC.replace("\\\n", " "), re.MULTILINE):
        yield shlex.split(line)[1:]
    for path in sorted(FOLDER.rglob("*_solver.prototxt")):
        line = re.search(r"^#   (caffe-lrcn train .*)$", path.read_text(), re.MULTILINE)
        yield shlex.split(line[1])[1:]


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_command(words):
    module = importlib.import_module(f"caffe_lrcn.cli.{COMMANDS[words[0]][0]}")
    parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
    module.add_arguments(parser)
    parser.parse_args(words[1:])
    named = [word for word in words if word.startswith("prototxt/")]
    assert all((ROOT / path).is_file() for path in named), named


def test_every_solver_of_the_paper_is_in_the_table():
    for path in FOLDER.glob("*_solver.prototxt"):
        assert f"`{path.name.removesuffix('_solver.prototxt')}`" in DOC, path
