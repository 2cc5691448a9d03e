"""No folder of the package imports from one below it in docs/architecture.md."""
from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "caffe_lrcn"
#: Folders and modules of the package; each imports only from itself and from those before it.
ORDER = ("printable", "errors", "hints", "collection", "memory", "hdf5_files", "rng", "paths",
         "files", "glog", "proto", "backends", "blob", "arena", "filler", "sources", "layer_types",
         "net", "solver", "inspection", "drawing", "language", "metrics", "tasks", "pycaffe",
         "caffe_tools", "cli")
#: What stands at the top for its name: the front, and pycaffe's modules passed on.
TOP = {"__init__": "pycaffe", "_caffe": "pycaffe", "classifier": "pycaffe", "coord_map": "pycaffe",
       "detector": "pycaffe", "draw": "pycaffe", "io": "pycaffe", "net_spec": "pycaffe",
       "__main__": "cli"}


def imports(text: str, package: list[str]) -> Iterator[tuple[int, str]]:
    """Yield line and room of all imports from the package: local ones and those for types too.

    Args:
        text: a module's source.
        package: the names of the folders that it lies in.
    """
    for node in ast.walk(ast.parse(text)):
        names: list[list[str]] = []
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) + 1 - node.level] if node.level else []
            base = base + (node.module.split(".") if node.module else [])
            names = [[*base, alias.name] for alias in node.names]
        for name in names:
            if name[0] == PACKAGE.name and name[1:] != ["__version__"]:
                yield node.lineno, name[1] if len(name) > 1 else "__init__"


def room(path: Path) -> str:
    """Return the folder or the top-level module that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES = sorted(PACKAGE.rglob("*.py"))


def test_every_file_has_a_place_in_the_order():
    assert {room(path) for path in FILES} == {*ORDER, *TOP}


@pytest.mark.parametrize("name", [*ORDER, *TOP])
def test_imports_go_up(name):
    place = {item: number for number, item in enumerate(ORDER)}
    place |= {item: place[folder] for item, folder in TOP.items()}
    wrong = [f"{path.relative_to(ROOT)}:{line} imports {target}"
             for path in FILES if room(path) == name
             for line, target in imports(path.read_text(encoding="utf-8"),
                                         [*path.relative_to(ROOT).parent.parts])
             if place[target] > place[name]]
    assert wrong == []


def test_all_kinds_of_imports_are_seen():
    source = """
from ..solver import x
from .. import cli
import caffe_lrcn.tasks.toy
import numpy
def f():
    from ..pycaffe.net import Net
if TYPE_CHECKING:
    from .build import Node
from .. import __version__
"""
    assert sorted(imports(source, ["caffe_lrcn", "net"])) == [
        (2, "solver"), (3, "cli"), (4, "tasks"), (7, "pycaffe"), (9, "net")]


def test_architecture_lists_the_folders_in_this_order():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]*`) \|", text, re.MULTILINE)
    assert [name.strip("/").removesuffix(".py")
            for row in rows for name in re.findall(r"`([\w/.]+)`", row)] == list(ORDER)
