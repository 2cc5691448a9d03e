"""The commands of the pages about captioning and description, and of data/README.md: flags exist,
and so do the definitions."""
import argparse
import importlib
import re
import shlex
from pathlib import Path

import pytest

from caffe_lrcn.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]


def commands():
    for file in ("docs/captioning.md", "docs/description.md", "data/README.md"):
        text = (ROOT / file).read_text().replace("\\\n", " ")
        for line in re.findall(r"^    (caffe-lrcn .*)$", text, re.MULTILINE):
            yield shlex.split(line)[1:]
    for path in sorted([*(ROOT / "prototxt" / "captioning").glob("*_solver.prototxt"),
                        *(ROOT / "prototxt" / "description").rglob("*_solver.prototxt")]):
        head = re.sub(r" \\\n#", "", path.read_text())
        yield shlex.split(re.search(r"^#   (caffe-lrcn train .*)$", head, re.MULTILINE)[1])[1:]


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_command(words):
    module = importlib.import_module(f"caffe_lrcn.cli.{COMMANDS[words[0]][0]}")
    parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
    module.add_arguments(parser)
    parser.parse_args(words[1:])
    named = [word for word in words if word.startswith("prototxt/")]
    assert all((ROOT / path).is_file() for path in named), named


def test_every_captioning_solver_is_in_the_table():
    text = (ROOT / "docs" / "captioning.md").read_text()
    for path in (ROOT / "prototxt" / "captioning").glob("*_solver.prototxt"):
        name = path.name.removesuffix("_solver.prototxt")
        stem, _, tail = name.partition(".")
        assert f"`{name}`" in text or (f"`{stem}`" in text and f"`.{tail}`" in text), name
