"""Captions of the nearest training pictures."""
from __future__ import annotations

import json

import numpy as np
import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import ShapeError, UsageError
from caffe_lrcn.language.ptb_tokens import PTBTokenizer
from caffe_lrcn.metrics import NgramTable, bleu, cider_d
from caffe_lrcn.tasks.captioning.neighbours import Consensus, nearest
from tests.harness.unread import run_unread

CAPTIONS = [["A red dog runs on the grass.", "A dog runs.", "The dog, the red dog, is on grass"],
            ["A dog runs on the beach."], ["Two cats sleep.", "Two black cats sleep on a bed."],
            ["...", ""]]


def test_nearest_by_angle():
    features = np.array([[1, 0], [0, 1], [5, 5], [0, 0], [-1, 0]])
    assert nearest(features, np.array([[2, 0], [0, 3]]), 3).tolist() == [[0, 2, 1], [1, 2, 0]]
    assert nearest(features, np.array([[2, 0]]), 9).tolist() == [[0, 2, 1, 3, 4]]


def test_nearest_in_blocks(monkeypatch):
    random = np.random.default_rng(0)
    features, queries = random.normal(size=(20, 4)), random.normal(size=(7, 4))
    whole = nearest(features, queries, 5)
    monkeypatch.setattr("caffe_lrcn.tasks.captioning.neighbours._BLOCK", 3)
    assert (nearest(features, queries, 5) == whole).all()


@pytest.mark.parametrize("features, queries, count, error", [
    (np.ones((3, 4)), np.ones((3, 5)), 1, ShapeError), (np.ones(3), np.ones(3), 1, ShapeError),
    (np.ones((3, 4)), np.ones((3, 4)), 0, UsageError),
    (np.full((1, 2), np.nan), np.ones((1, 2)), 1, UsageError)])
def test_nearest_refuses(features, queries, count, error):
    with pytest.raises(error):
        nearest(features, queries, count)


@pytest.mark.parametrize("similarity", ["cider-d", "bleu-4"])
def test_similarity_is_the_metric_s(similarity):
    """Each entry is what the metric says of one caption with one reference."""
    captions = CAPTIONS[:3]
    found = Consensus(captions, similarity).matrix(np.arange(6))
    tokens = [[" ".join(PTBTokenizer()(text)) for text in texts] for texts in captions]
    flat, owner = [text for texts in tokens for text in texts], [0, 0, 0, 1, 2, 2]
    for i, candidate in enumerate(flat):
        if similarity == "bleu-4":
            table = NgramTable([candidate] * 6, [[text] for text in flat])
            wanted = bleu(table)[1][:, 3]
        else:
            # Document frequencies come from the pictures, and a score is a mean over references.
            scores = cider_d(NgramTable([candidate] * 3, tokens))[1]
            assert [found[i][np.equal(owner, p)].mean() for p in range(3)
                    if owner[i] != p] == pytest.approx(
                [scores[p] for p in range(3) if owner[i] != p], abs=1e-9)
            continue
        others = np.arange(6) != i
        assert found[i][others] == pytest.approx(wanted[others], abs=1e-9)


def test_caption_like_most_others():
    consensus = Consensus(CAPTIONS)
    text, score = consensus.caption(np.array([0, 1, 2]))
    matrix = consensus.matrix(np.arange(6))
    np.fill_diagonal(matrix, 0)
    assert text == consensus.texts[matrix.sum(1).argmax()] == "A dog runs on the beach."
    assert score == pytest.approx(matrix.sum(1).max() / 5)
    assert consensus.caption(np.array([2]))[0].startswith("Two")
    assert consensus.caption(np.array([3])) is None
    assert consensus.caption(np.array([1, 3])) == ("A dog runs on the beach.", 0.0)


def test_only_the_best_candidates_count():
    # One cat is exactly like one other caption; the dogs are rather like many.
    captions = [["A black cat."], ["A black cat."], *(
        [f"A happy brown dog runs {how}."] for how in ("fast", "off", "now", "up")),
        *([f"Word {number}"] for number in range(10))]
    everyone = np.arange(6)
    assert Consensus(captions, best=1).caption(everyone)[0] == "A black cat."
    assert Consensus(captions, best=3).caption(everyone)[0] == "A happy brown dog runs fast."


@pytest.mark.parametrize("options", [{"similarity": "x"}, {"best": 0}])
def test_consensus_refuses(options):
    with pytest.raises(UsageError):
        Consensus(CAPTIONS, **options)


@pytest.fixture
def files(tmp_path):
    np.save(tmp_path / "train.npy", [[1, 0], [1, 0.1], [0, 1], [-1, 0]])
    np.save(tmp_path / "test.npy", [[0, 2], [3, 0]])
    (tmp_path / "train.json").write_text(json.dumps({
        "images": [{"id": 10 + i, "file_name": f"{i}.jpg"} for i in range(4)],
        "annotations": [{"image_id": 10 + i, "caption": text} for i, texts in
                        enumerate(CAPTIONS) for text in texts]}))
    (tmp_path / "test.json").write_text(json.dumps(
        {"images": [{"id": 7, "file_name": "a.jpg"}, {"id": 8, "file_name": "b.jpg"}]}))
    return tmp_path


def neighbours(folder, *flags):
    return main(["neighbours", *words(folder), "--json", str(folder / "out.json"), *flags])


def words(folder):
    return ["--features", str(folder / "train.npy"), "--captions", str(folder / "train.json"),
            "--queries", str(folder / "test.npy"), "--query-captions", str(folder / "test.json")]


def test_command(files, capsys):
    assert neighbours(files, "--neighbours", "2") == 0
    results = json.loads((files / "out.json").read_text())
    assert [entry["image_id"] for entry in results] == [7, 8]
    assert "cats" in results[0]["caption"] or "dog" in results[0]["caption"]
    assert "dog" in results[1]["caption"]
    assert f"b.jpg: {results[1]['caption']}" in capsys.readouterr().out


@pytest.mark.parametrize("flags", [[], ["--similarity", "bleu-4"]])
def test_the_file_is_whole_though_nobody_reads_the_output(files, flags):
    out = files / "made" / "unread.json"
    code, said = run_unread(["neighbours", *words(files), "--json", out, *flags])
    assert code == 1 and "Error" not in said and "Exception" not in said
    assert [entry["image_id"] for entry in json.loads(out.read_text())] == [7, 8]


def test_rows_of_folders(files, capsys):
    """``features`` wrote the rows in the folder's order; names without numbers need no ids."""
    for folder, names in (("train", ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]), ("test", "ab")):
        (files / folder).mkdir()
        for name in names:
            (files / folder / f"{name.removesuffix('.jpg')}.jpg").write_bytes(b"")
    flags = ["neighbours", *words(files)[:-2], "--query-images", str(files / "test"), "--images",
             str(files / "train"), "--json", str(files / "named.json")]
    assert main(flags) == 0
    results = json.loads((files / "named.json").read_text())
    assert [entry["image_id"] for entry in results] == ["a.jpg", "b.jpg"]
    assert "--query-captions gives other ids" in capsys.readouterr().err


def test_command_with_rows_in_another_order(files):
    (files / "rows.txt").write_text("pictures/2.jpg\npictures/1.jpg\npictures/0.jpg\n")
    np.save(files / "train.npy", [[0, 1], [1, 0.1], [1, 0]])
    assert neighbours(files, "--neighbours", "1", "--images", str(files / "rows.txt")) == 0
    results = json.loads((files / "out.json").read_text())
    assert results[0]["caption"].startswith("Two") and "dog" in results[1]["caption"]


def test_a_picture_whose_neighbours_have_no_captions(files, capsys):
    np.save(files / "test.npy", [[-1, 0], [3, 0]])
    assert neighbours(files, "--neighbours", "1") == 1
    assert "a.jpg" in capsys.readouterr().err


@pytest.mark.parametrize("rows, message", [
    ("0.jpg\nzebra.jpg\n1.jpg\n2.jpg\n", "zebra.jpg"), ("0.jpg\n", "as many features as pictures")])
def test_rows_that_do_not_fit(files, capsys, rows, message):
    (files / "rows.txt").write_text(rows)
    assert neighbours(files, "--images", str(files / "rows.txt")) == 1
    assert message in capsys.readouterr().err
