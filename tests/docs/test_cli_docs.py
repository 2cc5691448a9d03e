"""docs/cli.md and docs/tools.md have every command, and no flag that does not exist."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from caffe_lrcn.cli.main import COMMANDS, TOOLS, main

_DOCS = Path(__file__).parents[2] / "docs"
_TEXT = re.sub(r"(?m)^    error: .*\n", "",  # what programs print may name other flags
               (_DOCS / "cli.md").read_text(encoding="utf-8"))
_SECTIONS = dict(re.findall(r"^## ([\w-]+)\n(.*?)(?=^## |\Z)", _TEXT, re.MULTILINE | re.DOTALL))


def test_every_command_has_one_section():
    assert set(_SECTIONS) == set(COMMANDS)
    assert _TEXT.count("\n## ") == len(COMMANDS)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_sections_show_a_run_and_use_flags_that_exist(command, capsys):
    section = _SECTIONS[command]
    runs = re.findall(r"^    \$ caffe-lrcn ((?:data|rank|translate) [\w-]+|[\w-]+)", section,
                      re.MULTILINE)
    assert command in {run.split()[0] for run in runs}
    helps = ""
    for words in map(str.split, dict.fromkeys(runs)):
        with pytest.raises(SystemExit):
            main([*words, "--help"])
        helps += capsys.readouterr().out
    known = set(re.findall(r"--[\w-]+", helps))
    assert set(re.findall(r"(?<![\w-])--[a-z][\w-]*", section)) <= known


def test_both_pages_list_each_of_caffe_s_tools():
    for page, form in (("cli.md", r"`(\w+)`"), ("tools.md", r"^\| (`[`\w, ]+`) \| \w")):
        text = (_DOCS / page).read_text(encoding="utf-8")
        listed = re.findall(r"\w+", " ".join(re.findall(form, text, re.MULTILINE)))
        assert set(TOOLS) <= set(listed)
