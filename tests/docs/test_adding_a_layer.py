"""docs/adding_a_layer.md, followed word by word in a copy of the tree."""
from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "adding_a_layer.md").read_text(encoding="utf-8")
#: A block of Python and the last file that the text names before it.
BLOCK = re.compile(r"`([\w/]+\.py)`(?:(?!`[\w/]+\.py`)[^#])*?:\n\n```python\n(.*?)```", re.DOTALL)


def write_files(root: Path, text: str) -> list[str]:
    """Write the page's files, add its lines to tables; return the files' names."""
    written = []
    for name, code in BLOCK.findall(text):
        path = root / name
        if path.exists():
            path.write_text(with_line(path.read_text(encoding="utf-8"), code), encoding="utf-8")
        else:
            path.write_text(code, encoding="utf-8")
            written.append(name)
    return written


def with_line(source: str, line: str) -> str:
    """Return a module with a line put where the alphabet has it, in its first table by type."""
    rows = re.findall(r'^    "\w+.*": .*\n', source, re.MULTILINE)
    assert len(rows) > 40 and line.count("\n") == 1
    later = next(row for row in rows if row > line)
    return source.replace(later, line + later, 1)


def run_commands(root: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run the page's commands in turn, with this interpreter; return the first that failed."""
    (root / ".venv").mkdir()
    (root / ".venv" / "installed").touch()  # so that make finds the environment up to date
    lines = text.replace("\\\n", " ").splitlines()
    commands = [shlex.split(line) for line in lines if re.match(r"    (make docs|\.venv/)", line)]
    assert [words[0] for words in commands] == ["make", ".venv/bin/python"]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    for words in commands:
        words = [sys.executable if word == ".venv/bin/python" else word for word in words]
        if words[0] == "make":
            words.append(f"BIN={Path(sys.executable).parent}")
        result = subprocess.run(words, cwd=root, env=environment, text=True, capture_output=True)
        if result.returncode:
            break
    return result


@pytest.fixture
def follow(tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True,
                            capture_output=True)
    if listed.returncode or not shutil.which("make"):
        pytest.skip("needs make, and a git checkout to know which files belong to the project")
    for name in listed.stdout.splitlines():
        if (ROOT / name).exists():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)

    def run(text: str) -> subprocess.CompletedProcess[str]:
        assert write_files(tmp_path, text) == [
            "caffe_lrcn/layer_types/cosine_similarity.py",
            "tests/layer_types/test_cosine_similarity.py"]
        return run_commands(tmp_path, text)

    return run


def test_the_page_works(follow, tmp_path):
    result = follow(TEXT)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "failed" not in result.stdout
    assert "\n## CosineSimilarity\n" in (tmp_path / "docs/layers.md").read_text(encoding="utf-8")


def test_a_mistake_in_the_page_is_noticed(follow):
    broken = TEXT.replace("        dx -= along\n", "")
    assert broken != TEXT
    result = follow(broken)
    assert result.returncode == 1 and "test_gradient" in result.stdout


def test_the_page_adds_a_layer_that_does_not_exist():
    files = [name for name, _ in BLOCK.findall(TEXT)]
    assert len(files) == TEXT.count("```python\n") == 4
    assert [(ROOT / name).exists() for name in files] == [False, True, False, True]
