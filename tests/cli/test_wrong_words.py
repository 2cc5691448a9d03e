"""Misspelt commands and flags, and words without their flag: each message says what to write."""
from __future__ import annotations

import pytest

import caffe_lrcn as caffe
from caffe_lrcn.cli.main import main


@pytest.mark.parametrize("words, parts", [
    (["trian", "--solver", "s"], ["unknown command 'trian'", "Did you mean 'train'?"]),
    (["--solver", "s", "train"], ["the command comes first", "caffe-lrcn train --solver"]),
    (["train", "--slover", "s"], ["unknown flag --slover", "Did you mean '--solver'?"]),
    (["train", "-solver=s", "-wieghts=x"], ["unknown flag --wieghts", "Did you mean '--weights'?"]),
    (["data", "captions", "--iamges", "x"], ["unknown flag --iamges", "Did you mean '--images'?"]),
    (["convert_imageset", "--gary", "a", "b", "c"], ["unknown flag --gary", "'--gray'"]),
    (["summary", "--quuux", "n"], ["unknown flag --quuux", "summary --help"]),
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
        "error: unknown command 'zzz'", "'caffe-lrcn --help' lists the commands."]


NET = """layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
        inner_product_param { num_output: %d } }
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with two nets, weights of one, and a log."""
    monkeypatch.chdir(tmp_path)
    for name, units in (("net", 2), ("other", 7)):
        (tmp_path / f"{name}.prototxt").write_text(NET % units)
    caffe.Net("net.prototxt", caffe.TEST).save("w.caffemodel")
    (tmp_path / "empty.caffemodel").write_bytes(b"")
    (tmp_path / "run.log").write_text("x")
    (tmp_path / "fork.prototxt").write_text('layer { name: "c" type: "Confuse" confuse_it: 3 }')
    return tmp_path


@pytest.mark.parametrize("words, parts", [
    (["test", "--model", "net.prototxt", "--weights", "empty.caffemodel"],
     ["empty.caffemodel: the file is empty. Copy or download the file again"]),
    (["test", "--model", "other.prototxt", "--weights", "w.caffemodel"],
     ["got (2, 3), wanted (7, 3)", "--ignore-mismatch to train (from Python: ignore_mismatch"]),
    (["train", "--solver", ""], ["no definition is named: the path is empty"]),
    (["summary", "w.caffemodel"], ["Weights go to --weights (from Python: weights=)"]),
    (["plot", "rum.log"], ["the log cannot be read", "there is 'run.log'"]),
    (["summary", "fork.prototxt"],
     ["no field 'confuse_it'. It is misspelt, or it belongs to a fork of Caffe"]),
])
def test_wrong_files(words, parts, folder, capsys):
    assert main(words) == 1
    message = capsys.readouterr().err
    assert all(part in message for part in parts), message


def test_a_type_that_nobody_knows_may_be_a_fork_s(folder, capsys):
    (folder / "fork.prototxt").write_text('layer { name: "c" type: "Confuse" }')
    assert main(["check", "fork.prototxt"]) == 1
    assert "unknown layer type 'Confuse'. It is misspelt, or it belongs to a fork of Caffe. " \
           "Known types: " in capsys.readouterr().out
