"""Results files, fusion of nets, and the command that scores and compares models."""
from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import DataError
from caffe_lrcn.tasks.activity.results import Results, fused, read_results, write_results

CLASSES = ["run", "sit", "jump"]
#: Name, label, probabilities: right, right, wrong (second), wrong (third).
SURE = [("a", 0, [0.8, 0.1, 0.1]), ("b", 0, [0.5, 0.3, 0.2]), ("c", 1, [0.5, 0.4, 0.1]),
        ("d", 1, [0.2, 0.1, 0.7])]
#: The same videos in another order; only c and d are right.
OTHER = [("d", 1, [0.1, 0.8, 0.1]), ("c", 1, [0.2, 0.6, 0.2]), ("b", 0, [0.0, 0.5, 0.5]),
         ("a", 0, [0.1, 0.0, 0.9])]


def results(videos, classes=CLASSES):
    names, labels, values = zip(*videos, strict=True)
    return Results("memory", list(classes), list(names), np.array(labels), np.array(values))


@pytest.fixture()
def files(tmp_path):
    """Write the two models' results on a split; return their paths."""
    paths = tmp_path / "sure.json", tmp_path / "other.json"
    for path, videos in zip(paths, (SURE, OTHER), strict=True):
        write_results(path, results(videos))
    return paths


def run(*words):
    return main(["evaluate-activity", *map(str, words)])


def test_results_come_back(files):
    found = read_results(files[0])
    assert (found.classes, found.names, found.labels.tolist()) == (CLASSES, list("abcd"),
                                                                    [0, 0, 1, 1])
    np.testing.assert_array_equal(found.probabilities, [values for *_, values in SURE])
    assert found.predicted.tolist() == [0, 0, 0, 2]


def test_nets_are_fused_by_the_names_of_their_videos():
    found = fused([results(SURE), results(OTHER)], (1, 3))
    assert found.names == list("abcd")
    np.testing.assert_allclose(found.probabilities[3], [0.125, 0.625, 0.25])
    np.testing.assert_allclose(found.probabilities[0], [0.275, 0.025, 0.7])


@pytest.mark.parametrize("change, words", [
    (lambda c: c["videos"][1].pop("name"), "a video has no name"),
    (lambda c: c["videos"][1].update(name="a"), "there twice.*'a'"),
    (lambda c: c["videos"][1].update(label=3), r"'b' has no label.*got 3, wanted 0 to 2"),
    (lambda c: c["videos"][1].update(label=True), "has no label"),
    (lambda c: c["videos"][1].pop("label"), "has no label"),
    (lambda c: c["videos"][1].update(probabilities=[0.5, 0.5]), "no probability for each class"),
    (lambda c: c["videos"][1].update(probabilities=[1.0, 0.5, 0.5]), "that sum to 1"),
    (lambda c: c["videos"][1].update(probabilities=[1.5, -0.5, 0]), "that sum to 1"),
    (lambda c: c["videos"][1].update(probabilities=[float("nan"), 0.5, 0.5]), "that sum to 1"),
    (lambda c: c["videos"][1].update(probabilities=["1", 0, 0]), "that sum to 1"),
    (lambda c: c["videos"].clear(), "not results of videos"),
    (lambda c: c.pop("classes"), "not results of videos"),
    (lambda c: c.update(classes=["run", "run", "jump"]), "not names that differ")])
def test_wrong_results_are_named(files, change, words):
    content = json.loads(files[0].read_text())
    change(content)
    files[0].write_text(json.dumps(content))
    with pytest.raises(DataError, match=words) as caught:
        read_results(files[0])
    assert str(caught.value).startswith(str(files[0]))


@pytest.mark.parametrize("text", ["[1, 2]", "3", '{"classes": 1, "videos": []}'])
def test_other_json_is_refused(files, text):
    files[0].write_text(text)
    with pytest.raises(DataError, match="not results of videos"):
        read_results(files[0])


@pytest.mark.parametrize("videos, classes, words", [
    (OTHER, ["run", "jump", "sit"], "other classes.*class 1 is 'jump', there 'sit'"),
    (OTHER, CLASSES + ["fly"], "4 classes, there 3"),
    (OTHER[1:], CLASSES, "videos of memory are missing.*no 'd', 1 in all"),
    ([*OTHER, ("e", 0, [1, 0, 0])], CLASSES, "have videos that memory does not have.*'e'"),
    ([("d", 2, [1, 0, 0]), *OTHER[1:]], CLASSES, "another label.*got 2 for 'd', wanted 1")])
def test_results_of_other_videos_do_not_go_together(videos, classes, words):
    with pytest.raises(DataError, match=words):
        results(videos, classes).in_order_of(results(SURE))


def test_scores_of_one_model(files, tmp_path, capsys):
    out = tmp_path / "out.json"
    assert run(files[0], "--top", 2, "--per-class", "--json", out) == 0
    printed = capsys.readouterr().out
    assert "4 videos, 3 classes" in printed
    assert "split 1       4    50.00%  75.00%" in printed
    assert "mean" not in printed
    rows = [line.split() for line in printed.splitlines()[-3:]]
    assert rows == [["run", "2", "100.00%"], ["sit", "2", "0.00%"], ["jump", "0", "-"]]
    report = json.loads(out.read_text())
    assert report["accuracies"] == [0.5] and report["top_2"] == [0.75]
    assert report["per_class"] == [1, 0, None]
    assert report["confusion"] == [[2, 0, 0], [1, 0, 1], [0, 0, 0]]


def test_two_models_on_two_splits(files, tmp_path, capsys):
    second = tmp_path / "second.json"
    write_results(second, results(SURE[:1]))
    out, picture = tmp_path / "out.json", tmp_path / "confusion.png"
    assert run(files[0], second, "--against", files[1], second, "--json", out,
               "--confusion", picture) == 0
    printed = capsys.readouterr().out
    table = [line.split() for line in printed.splitlines()]
    assert ["mean", "75.00%", "100.00%", "75.00%", "100.00%"] in table
    assert ["run", "+66.67", "sit", "-100.00"] in table
    assert ("right in one model only: 2 here, 2 in --against; McNemar's test: p = 1 (exact)"
            in printed)
    report = json.loads(out.read_text())
    assert report["differences"] == {"run": pytest.approx(2 / 3), "sit": -1}
    assert report["mcnemar"] == {"only_here": 2, "only_against": 2, "p": 1, "chi_square": None}
    assert report["mean_accuracy"] == 0.75
    with Image.open(picture) as image:
        assert min(image.size) > 300


def test_fused_models(files, capsys):
    assert run(files[0], "--with", files[1], "--weights", "1,0", "--against", files[0]) == 0
    assert "0 here, 0 in --against" in capsys.readouterr().out
    assert run(files[0], "--with", files[1], "--weights", "third", "--top", 1) == 0
    assert "    50.00%  50.00%" in capsys.readouterr().out
    assert run(files[0], "--with", files[1], "--with", files[1], "--weights", "0,0,1",
               "--against", files[1]) == 0
    assert "0 here, 0 in --against" in capsys.readouterr().out


def test_wrong_flags(files, tmp_path, capsys):
    other = tmp_path / "classes.json"
    write_results(other, results(SURE, ["x", "y", "z"]))
    for words, text in (
            (("--weights", "third"), "--weights needs --with"),
            (("--with", files[1], "--weights", "1,2,3"), "one weight for each net"),
            (("--with", files[1], files[1]), "--with takes one file for each split"),
            (("--against", files[1], files[1]), "--against takes one file for each split"),
            (("--top", 0), "must be positive"),
            (("--confusion", tmp_path / "x.abc"), "unknown format of a drawing"),
            ((other,), "the splits have different classes")):
        assert run(files[0], *words) == 1
        assert text in capsys.readouterr().err
