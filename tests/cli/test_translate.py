"""The command that translates roles into sentences."""
from __future__ import annotations

import dataclasses
import json

import pytest

from caffe_lrcn.cli import main as cli
from caffe_lrcn.tasks.description.references import write_references
from caffe_lrcn.tasks.description.roles import write_roles
from tests.harness.unread import run_unread
from tests.tasks.description.test_translation import clips, noisy


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Write roles, references and a trained model; return their folder."""
    folder = tmp_path_factory.mktemp("roles")
    given, test = noisy(60, 1), noisy(8, 3)
    write_roles(folder / "train.json", given)
    write_roles(folder / "train.h5", given)
    write_roles(folder / "bare.json", clips(8, 3))
    write_roles(folder / "test.json", dataclasses.replace(test, sentences=[[]] * 8))
    write_references(folder / "references.json", test)
    assert translate("train", "--roles", folder / "train.json", "--out", folder / "m.json",
                     "--lattice", 2, "--iterations", 2) == 0
    return folder


def translate(*words) -> int:
    return cli.main(["translate", *map(str, words)])


def test_from_roles_to_scores(files, tmp_path, capsys):
    out = tmp_path / "made" / "results.json"
    assert translate("describe", "--roles", files / "test.json", "--model", files / "m.json",
                     "--json", out) == 0
    printed = capsys.readouterr().out.splitlines()
    results = json.loads(out.read_text(encoding="utf-8"))
    assert printed == [f"{entry['image_id']}: {entry['caption']}" for entry in results]
    assert len(printed) == 8 and printed[0].startswith("v3-0: ")
    assert cli.main(["evaluate", str(out), str(files / "references.json")]) == 0
    assert "8 pictures, 16 references" in capsys.readouterr().out


def test_training_tells_what_it_does(files, tmp_path, capsys):
    assert translate("train", "--roles", files / "train.h5", "--out", tmp_path / "m.json",
                     "--lattice", 2, "--iterations", 2) == 0
    printed = capsys.readouterr()
    assert "learnt from 108 sentences of 54 clips" in printed.out
    assert "BLEU-4 of 6 clips held out: " in printed.out
    assert "aligning labels to words: model 1, 1 of 2" in printed.err
    assert "weights, round 1: BLEU-4 " in printed.err
    ours, theirs = (json.loads(path.read_text()) for path in (tmp_path / "m.json",
                                                              files / "m.json"))
    for data in (ours, theirs):
        del data["about"]["file"]
    assert ours == theirs


def test_other_held_out_clips_and_none(files, tmp_path, capsys):
    assert translate("train", "--roles", files / "train.json", "--val", files / "bare.json",
                     "--out", tmp_path / "m.json", "--iterations", 1) == 0
    assert "8 clips held out" in capsys.readouterr().out
    assert translate("train", "--roles", files / "train.json", "--val-fraction", 0,
                     "--out", tmp_path / "m.json", "--iterations", 1) == 0
    assert "held out" not in capsys.readouterr().out
    assert translate("describe", "--roles", files / "test.json", "--model", tmp_path / "m.json",
                     "--lattice", 2) == 0
    assert "were chosen with --lattice 1" in capsys.readouterr().err


def test_results_are_whole_though_nobody_reads_the_output(files, tmp_path):
    out = tmp_path / "results.json"
    code, said = run_unread(["translate", "describe", "--roles", files / "test.json", "--model",
                             files / "m.json", "--json", out])
    assert code == 1 and "Error" not in said
    assert len(json.loads(out.read_text(encoding="utf-8"))) == 8


def test_interruption_leaves_no_half_model(files, tmp_path, capsys, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt
    monkeypatch.setattr("caffe_lrcn.tasks.description.translation.extract", interrupt)
    (tmp_path / "m.json").write_text("earlier")
    assert translate("train", "--roles", files / "train.json", "--out", tmp_path / "m.json",
                     "--iterations", 1) == 130
    assert capsys.readouterr().err.endswith("error: interrupted\n")
    assert [path.name for path in tmp_path.iterdir()] == ["m.json"]
    assert (tmp_path / "m.json").read_text() == "earlier"


@pytest.mark.parametrize(("words", "message"), [
    (["train", "--roles", "{}/test.json", "--out", "{}/x.json"], "too few clips with sentences"),
    (["train", "--roles", "{}/test.json", "--val-fraction", "0", "--out", "{}/x.json"],
     "no sentences to learn from"),
    (["train", "--roles", "{}/train.json", "--val-fraction", "1", "--out", "{}/x.json"],
     "--val-fraction is out of range"),
    (["train", "--roles", "{}/absent.json", "--out", "{}/x.json"], "absent.json"),
    (["train", "--roles", "{}/train.json", "--out", "{}/train.json/x"], "cannot be written"),
    (["describe", "--roles", "{}/bare.json", "--model", "{}/m.json"],
     "needs the labels' probabilities"),
    (["describe", "--roles", "{}/test.json", "--model", "{}/references.json"],
     "not a translation model"),
])
def test_errors(files, capsys, words, message):
    assert translate(*(word.format(files) for word in words)) == 1
    assert message in capsys.readouterr().err
    assert not (files / "x.json").exists()


@pytest.mark.parametrize(("flag", "value"), [("--lattice", "0"), ("--order", "1"),
                                             ("--iterations", "x")])
def test_flags_out_of_range(files, capsys, flag, value):
    with pytest.raises(SystemExit):
        translate("train", "--roles", "r.json", "--out", "m.json", flag, value)
    assert flag in capsys.readouterr().err
