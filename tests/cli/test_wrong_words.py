"""Misspelt commands and flags, and words without their flag: each message says what to write."""
from __future__ import annotations

import pytest

from caffe_lrcn.cli.main import main


@pytest.mark.parametrize("words, parts", [
    (["trian", "--solver", "s"], ["no command 'trian'", "Did you mean 'train'?"]),
    (["--solver", "s", "train"], ["the command comes first", "caffe-lrcn train --solver"]),
    (["train", "--slover", "s"], ["no flag --slover", "Did you mean '--solver'?"]),
    (["train", "-solver=s", "-wieghts=x"], ["no flag --wieghts", "Did you mean '--weights'?"]),
    (["data", "captions", "--iamges", "x"], ["no flag --iamges", "Did you mean '--images'?"]),
    (["convert_imageset", "--gary", "a", "b", "c"], ["no flag --gary", "'--gray'"]),
    (["summary", "--quuux", "n"], ["no flag --quuux", "summary --help"]),
    (["train", "s.prototxt"], ["--solver (write --solver s.prototxt)"]),
    (["test", "n.prototxt", "w"], ["(write --model n.prototxt --weights w)"]),
    (["test", "--weights", "w", "n"], ["(write --model n)"]),
])
def test_wrong_words(words, parts, capsys):
    try:
        code = main(words)
    except SystemExit as stop:
        code = stop.code
    message = capsys.readouterr().err
    assert code in (1, 2) and all(part in message for part in parts)
    assert message.rstrip().count("\n") < 40


def test_a_wrong_command_is_not_followed_by_pages_of_help(capsys):
    assert main(["zzz"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "error: there is no command 'zzz'", "'caffe-lrcn --help' lists the commands."]
