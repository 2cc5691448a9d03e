"""What all of Caffe's tools have in common."""
from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module

import pytest

from caffe_lrcn.caffe_tools.program import Parser, long_flags
from caffe_lrcn.cli.main import COMMANDS, TOOLS
from tests.caffe_tools.scripts import ROOT, run

SCRIPTS = sorted(path.stem for path in (ROOT / "tools").glob("*.py"))


def test_every_tool_is_a_script_and_a_command():
    assert SCRIPTS == sorted(TOOLS)
    assert not TOOLS.keys() & COMMANDS.keys()


@pytest.mark.parametrize("name", SCRIPTS)
def test_help_begins_with_what_the_tool_does(name, capsys):
    with pytest.raises(SystemExit) as left:
        run(name, "--help")
    assert left.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    doc = import_module(f"caffe_lrcn.caffe_tools.{TOOLS[name][0]}").__doc__
    assert shown.startswith(f"usage: caffe-lrcn {name} ")
    assert " ".join(doc.split("\n")[0].split()) in shown


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_can_be_executed_and_run_their_tool(name):
    path = ROOT / "tools" / f"{name}.py"
    text = path.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env python3\n")
    assert text.endswith(f'    script("{name}")\n')
    assert os.access(path, os.X_OK)


def test_a_script_runs_as_a_program():
    result = subprocess.run(
        [sys.executable, ROOT / "tools" / "compute_image_mean.py", "none"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith("error: none: there is no LMDB database")


@pytest.mark.parametrize(("words", "wanted"), [
    ([], False), (["-gray"], True), (["--gray"], True), (["--gray=0"], False),
    (["-gray=yes"], True), (["--gray", "--nogray"], False), (["-nogray"], False)])
def test_switches_as_gflags_spells_them(words, wanted):
    parser = Parser("x", "does it")
    parser.add_switch("gray", "help")
    parser.add_argument("name")
    for order in ([*words, "true"], ["true", *words]):
        args = parser.parse(long_flags(order))
        assert (args.gray, args.name) == (wanted, "true")


def test_a_switch_that_is_neither_true_nor_false(capsys):
    parser = Parser("x", "does it")
    parser.add_switch("gray", "help")
    with pytest.raises(SystemExit) as left:
        parser.parse(["--gray=perhaps"])
    assert left.value.code == 1
    assert "neither true nor false" in capsys.readouterr().err
