"""The program: finding commands, spelling of flags, errors in one line, a light start."""
from __future__ import annotations

import argparse
import subprocess
import sys
from types import SimpleNamespace

import pytest

from caffe_lrcn.cli import main as cli
from caffe_lrcn.errors import DataError


def test_help_lists_the_commands(capsys):
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in (*cli.COMMANDS, *cli.TOOLS))
    assert cli.main([]) == 2
    assert cli.main(["--version"]) == 0
    assert "caffe-lrcn 0" in capsys.readouterr().out


def test_unknown_command(capsys):
    assert cli.main(["trian"]) == 2
    assert "Did you mean 'train'?" in capsys.readouterr().err


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_a_help(command, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main([command, "--help"])
    assert end.value.code == 0 and f"caffe-lrcn {command}" in capsys.readouterr().out


def test_flags_may_have_one_dash():
    words = ["-solver", "a", "-gpu=0", "--cpu", "-h", "-1", "-"]
    assert cli.long_flags(words) == ["--solver", "a", "--gpu=0", "--cpu", "-h", "-1", "-"]


def test_help_imports_no_engine():
    """The help must come at once: neither NumPy nor protobuf is imported for it."""
    program = ("import sys; from caffe_lrcn.cli.main import main; main(['--help']); "
               "sys.exit(bool({'numpy', 'google.protobuf', 'h5py', 'PIL'} & set(sys.modules)))")
    assert subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL,
                          check=False).returncode == 0


def test_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "caffe_lrcn", "--help"], capture_output=True,
                          text=True, check=True)
    assert "usage: caffe-lrcn" in done.stdout


@pytest.mark.parametrize(("error", "code", "text"), [
    (DataError("no such file", where="x.h5"), 1, "error: x.h5: no such file\n"),
    (OSError(28, "No space left on device"), 1, "error: No space left on device\n"),
    (PermissionError(13, "Permission denied", "a/b"), 1, "error: a/b: Permission denied\n"),
    (KeyboardInterrupt(), 130, "error: interrupted\n")])
def test_errors_are_one_line(monkeypatch, capsys, error, code, text):
    def run(args: argparse.Namespace) -> int:
        raise error

    command = SimpleNamespace(add_arguments=lambda parser: None, run=run)
    monkeypatch.setattr(cli.importlib, "import_module", lambda *_: command)
    assert cli.main(["train"]) == code
    assert capsys.readouterr().err == text
