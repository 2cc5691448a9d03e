"""``caffe-lrcn completion``: the scripts complete commands, flags and values."""
from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from caffe_lrcn.cli.completion import whole_parser
from caffe_lrcn.cli.main import COMMANDS, TOOLS, main

_BASH = r"""
. "$1"
complete_with=$(complete -p caffe-lrcn | sed 's/.*-F //; s/ .*//')
shift
COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); COMPREPLY=()
$complete_with "$1" "${@: -1}" "${@: -2:1}"
echo "${COMPREPLY[@]}"
"""
CASES = [(["tra"], "train"), (["train", "--pat"], "--patience"),
         (["train", "--math", ""], "fp32 tf32 bf16"), (["data", "to"], "toy toy-actions"),
         (["data", "captions", "--format", ""], "coco flickr tab"),
         (["describe", "--architecture", ""], "a b c"),
         (["convert_ima"], "convert_imageset"),
         (["completion", ""], "bash zsh fish")]


def script(shell, tmp_path, capsys) -> str:
    pytest.importorskip("shtab")
    assert main(["completion", shell]) == 0
    path = tmp_path / f"completion.{shell}"
    path.write_text(capsys.readouterr().out)
    return str(path)


def test_one_parser_has_all_commands():
    (commands,) = [action for action in whole_parser()._actions if action.choices]
    assert list(commands.choices) == [*COMMANDS, *TOOLS]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_command_and_some_flags_are_in_the_script(shell, tmp_path, capsys):
    with open(script(shell, tmp_path, capsys), encoding="utf-8") as file:
        text = file.read()
    for name in (*COMMANDS, *TOOLS):
        assert name in text
    for flag in ("patience", "max-time", "references", "val-captions"):
        assert flag in text
    if shutil.which(shell):
        subprocess.run([shell, "-n", str(tmp_path / f"completion.{shell}")], check=True)


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_bash_completes(tmp_path, capsys):
    path = script("bash", tmp_path, capsys)
    for words, wanted in CASES:
        done = subprocess.run(["bash", "-c", _BASH, "bash", path, "caffe-lrcn", *words],
                              capture_output=True, text=True, check=True)
        assert done.stdout.split() == wanted.split(), words


@pytest.mark.skipif(not shutil.which("fish"), reason="needs fish")
def test_fish_completes(tmp_path, capsys):
    path = script("fish", tmp_path, capsys)
    for words, wanted in CASES:
        line = " ".join(["caffe-lrcn", *words])
        done = subprocess.run(["fish", "-c", f"source {path}; complete -C '{line}'"],
                              capture_output=True, text=True, check=True)
        assert [row.split("\t")[0] for row in done.stdout.splitlines()] == wanted.split(), words


def test_shtab_missing(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 1
    assert "pip install shtab" in capsys.readouterr().err
