"""Every path that the guides and the README name exists, and every module can be imported."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted((ROOT / "docs").glob("adding_*.md")), ROOT / "docs" / "architecture.md",
         ROOT / "README.md"]
#: Written by the layer's page itself.
NEW = {"caffe_lrcn/layer_types/cosine_similarity.py", "tests/layer_types/test_cosine_similarity.py"}
SUFFIXES = r"\.(?:prototxt|proto|py|md|cuh|cu|h|toml)"


def named(text: str) -> set[str]:
    """Return the paths in backticks, in links, and of commands: files and folders."""
    quoted = re.findall(rf"`([\w./-]+(?:{SUFFIXES}|/))`", text)
    linked = re.findall(r"\]\(([\w./-]+)\)", text)
    in_commands = re.findall(rf"(?<![\w`(/.])((?:tests|prototxt)/[\w./-]+{SUFFIXES})\b", text)
    return {*quoted, *linked, *in_commands}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_exist(page):
    names = named(page.read_text(encoding="utf-8"))
    assert len(names) > 5
    # A page may name files below the folder that it talks about: of the package, or of layers.
    folders = [ROOT, page.parent, ROOT / "caffe_lrcn", ROOT / "caffe_lrcn" / "layer_types"]
    assert [name for name in names - NEW
            if not any((folder / name).exists() for folder in folders)] == []


def test_a_path_that_does_not_exist_is_seen():
    assert named("see `net/none.py`, [this](docs/none.md), or\n    pytest tests/none.py") == {
        "net/none.py", "docs/none.md", "tests/none.py"}


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_imports_work(page):
    text = page.read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    lines = re.findall(r"^(?:from|import) caffe_lrcn.*$", blocks, re.MULTILINE)
    modules = re.findall(r"`(caffe_lrcn(?:\.[a-z_]\w*)+)`", text)
    for line in [*lines, *(f"import {module}" for module in modules)]:
        exec(line, {})
