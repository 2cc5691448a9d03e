"""What all scripts of ``tools/`` have in common."""
from __future__ import annotations

import os
import subprocess
import sys

import pytest

from caffe_lrcn.cli.program import Parser
from tests.caffe_tools.scripts import ROOT, load

SCRIPTS = sorted(path.stem for path in (ROOT / "tools").glob("*.py"))
PROGRAMS = [name for name in SCRIPTS if not name.startswith(("generate_", "upgrade_"))]


@pytest.mark.parametrize("name", PROGRAMS)
def test_help_begins_with_what_the_script_does(name, capsys):
    script = load(name)
    with pytest.raises(SystemExit) as left:
        script.parser().parse(["--help"])
    assert left.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert " ".join(script.__doc__.split("\n")[0].split()) in shown


@pytest.mark.parametrize("name", PROGRAMS)
def test_scripts_can_be_executed(name):
    path = ROOT / "tools" / f"{name}.py"
    assert path.read_text().startswith("#!/usr/bin/env python3\n")
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
    parser = Parser("x")
    parser.add_switch("gray", "help")
    parser.add_argument("name")
    for order in ([*words, "true"], ["true", *words]):
        args = parser.parse(order)
        assert (args.gray, args.name) == (wanted, "true")


def test_a_switch_that_is_neither_true_nor_false(capsys):
    parser = Parser("x")
    parser.add_switch("gray", "help")
    with pytest.raises(SystemExit) as left:
        parser.parse(["--gray=perhaps"])
    assert left.value.code == 1
    assert "neither true nor false" in capsys.readouterr().err
