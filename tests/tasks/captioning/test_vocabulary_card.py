"""A vocabulary of another run is refused wherever ids are turned into words."""
from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import DataError
from caffe_lrcn.language.vocabulary import Vocabulary
from caffe_lrcn.language.vocabulary_card import check_streams, check_weights, stamp
from caffe_lrcn.solver.resume_file import ResumeFile, write_resume_file

MINE, OTHER = Vocabulary(["a", "cat", "sits"]), Vocabulary(["a", "dog", "sits"])
LOSSES = {"losses": [], "next": 0, "mean": 0.0}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    MINE.write("mine.txt")
    OTHER.write("other.txt")
    with h5py.File("words.h5", "w") as file:
        for name, value in (("cont_sentence", 0), ("input_sentence", 0), ("target_sentence", 2)):
            file[name] = [[float(value)]]
        stamp(file, MINE)
    Path("list.txt").write_text("words.h5\n")
    return tmp_path


def test_streams(folder, capsys):
    check_streams("words.h5", MINE, "mine.txt")
    with pytest.raises(DataError, match="other.txt: words.h5 was made with another vocabulary"):
        check_streams("words.h5", OTHER, "other.txt")
    assert main(["streams", "words.h5", "--vocabulary", "other.txt"]) == 1
    assert "--other-vocabulary" in capsys.readouterr().err
    main(["streams", "words.h5", "--vocabulary", "other.txt", "--other-vocabulary"])
    assert "another vocabulary" not in capsys.readouterr().err


def test_ngrams(folder, capsys):
    words = ["data", "ngrams", "--train", "list.txt", "--test", "list.txt", "--vocabulary"]
    assert main([*words, "mine.txt"]) == 0
    assert main([*words, "other.txt"]) == 1
    assert "words.h5 was made with another vocabulary" in capsys.readouterr().err
    assert main([*words, "other.txt", "--other-vocabulary"]) == 0


def test_weights_by_their_sidecar(folder, capsys):
    data = {"words.h5": {"vocabulary_sha256": MINE.sha256, "vocabulary_ids": len(MINE)}}
    write_resume_file("net_iter_1.resume", ResumeFile(1, 1, 0.0, {}, LOSSES, data=data))
    check_weights("net_iter_1.caffemodel.h5", MINE, "mine.txt")
    check_weights("unknown.caffemodel", OTHER, "other.txt")
    with pytest.raises(DataError, match="net_iter_1.caffemodel were trained on words.h5"):
        check_weights("net_iter_1.caffemodel", OTHER, "other.txt")
    words = ["caption", "a.jpg", "--weights", "net_iter_1.caffemodel", "--vocabulary", "other.txt"]
    assert main(words) == 1
    assert "with another vocabulary" in capsys.readouterr().err
    assert main([*words, "--other-vocabulary"]) == 1  # there are no weights at all
    assert "with another vocabulary" not in capsys.readouterr().err
