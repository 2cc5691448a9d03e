"""Damaged databases: whatever the bytes, a result or one of our errors, in a child process."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources.databases import encoded, pictures, write_lmdb

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "data" / "images_lmdb" / "data.mdb"
PAGE = 4096


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    """Raw pictures of overflow pages; small encoded ones under two levels of pages."""
    small = [encoded(planes, index, form) for index, (planes, form) in enumerate(zip(
        pictures(40), ["PNG", "JPEG", "BMP", "GIF"] * 10, strict=True))]
    path = write_lmdb(tmp_path_factory.mktemp("fuzz") / "db", small)
    return [GOLDEN.read_bytes(), Path(path, "data.mdb").read_bytes()]


@pytest.fixture(scope="module")
def child():
    """The process that reads."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-m", "tests.sources.lmdb_child"], cwd=ROOT,
                               env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)
    yield process
    process.stdin.close()
    assert process.wait(10) == 0
    process.stdout.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged")


def answer(child, folder, content):
    """Return what the child makes of a data file."""
    (folder / "data.mdb").write_bytes(content)
    child.stdin.write(f"{folder}\n")
    child.stdin.flush()
    line = child.stdout.readline()
    assert line, f"the reader died with status {child.wait(10)}"
    return line.rstrip("\n")


def damages():
    """Return changes (page, place in the page, new bytes) and a place to cut the file at."""
    head = st.integers(0, 40) | st.integers(40, 160) | st.integers(0, PAGE - 1)
    new = st.binary(min_size=1, max_size=8) | st.sampled_from(
        [b"\xff" * 8, b"\0" * 8, b"\xff\xff", b"\x02\0", b"\x01\0\0\0\0\0\0\0"])
    return st.tuples(st.lists(st.tuples(st.integers(0, 8), head, new), min_size=1, max_size=4),
                     st.none() | st.integers(0, 12 * PAGE))


def damaged(content, changes, cut):
    content = bytearray(content)
    for page, place, new in changes:
        start = (page * PAGE + place) % len(content)
        content[start:start + len(new)] = new
    return bytes(content[:cut])


@settings(max_examples=120, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.integers(0, 1), damage=damages())
def test_damaged_databases(databases, child, folder, which, damage):
    changes, cut = damage
    result = answer(child, folder, damaged(databases[which], changes, cut))
    assert result == "read" or str(folder) in result


def test_whole_databases_are_read(databases, child, folder):
    assert [answer(child, folder, content) for content in databases] == ["read", "read"]


def test_a_child_that_runs_away_is_noticed(databases, folder):
    stopped = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.readline()"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with stopped, pytest.raises(AssertionError, match="the reader died with status 0"):
        answer(stopped, folder, databases[0])
    shutil.rmtree(folder)
    folder.mkdir()
