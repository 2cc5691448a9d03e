"""The scripts under examples/ run, and find what they promise."""
from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
MODULES = {path.stem for path in EXAMPLES.glob("*.py")}


@pytest.fixture
def run(monkeypatch) -> Iterator[Any]:
    """A function that runs the ``main`` of a script, as if started from its folder."""
    monkeypatch.syspath_prepend(str(EXAMPLES))

    def call(name: str) -> Any:
        return runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"]()
    yield call
    for name in MODULES & set(sys.modules):
        del sys.modules[name]


def test_clip_reader(run):
    assert run("clip_reader") > 0.5  # a quarter by chance


def test_lenet_netspec(run):
    assert run("lenet_netspec") > 0.6  # a third by chance


def test_classification(run, capsys):
    assert run("classification") == [["square", "disc", "cross"]] * 2
    assert "ten crops" in capsys.readouterr().out


def test_logistic_regression_hdf5(run):
    linear, hidden = run("logistic_regression_hdf5")
    assert 0.6 < linear < 0.8 and hidden > 0.9


def test_multilabel(run):
    assert run("multilabel") > 0.6  # 0.5 by chance


def test_net_surgery(run):
    assert run("net_surgery") < 1e-5


def test_python_loss(run):
    built_in, in_python, difference = run("python_loss")
    assert built_in < 1e-6 and in_python < 1e-6 and difference < 1e-6


def test_every_script_is_described_and_tested():
    text = (EXAMPLES / "README.md").read_text()
    tests = Path(__file__).read_text()
    for name in MODULES:
        assert f"`{name}.py`" in text
        assert f"def test_{name}(" in tests or name in ("shapes", "example_layers")
