"""Where paths are looked for."""
from __future__ import annotations

import os

import pytest

from caffe_lrcn.paths import resolve


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A working folder, and a folder ``nets`` with a definition."""
    (tmp_path / "work").mkdir()
    (tmp_path / "nets").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def test_working_folder_wins_over_the_naming_file(folders):
    (folders / "work" / "x").touch()
    (folders / "nets" / "x").touch()
    assert resolve("x", str(folders / "nets" / "net.prototxt")) == "x"


def test_looks_beside_the_naming_file(folders):
    (folders / "nets" / "x").touch()
    assert resolve("x", "../nets/net.prototxt") == os.path.join("../nets", "x")


def test_looks_beside_each_file_in_turn(folders):
    (folders / "nets" / "x").touch()
    assert resolve("x", "here.txt", None, "../nets/net.prototxt") == os.path.join("../nets", "x")


@pytest.mark.parametrize("beside", [None, "../nets/net.prototxt"])
def test_keeps_what_is_found_nowhere(folders, beside):
    assert resolve("missing/x", beside) == "missing/x"


def test_absolute_paths_are_not_looked_for(folders):
    (folders / "nets" / "x").touch()
    assert resolve("/x", "../nets/net.prototxt") == "/x"
