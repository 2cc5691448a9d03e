"""A vocabulary of another run is refused wherever ids are turned into words."""
from __future__ import annotations

from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest

from caffe_lrcn.cli.main import main
from caffe_lrcn.errors import DataError
from caffe_lrcn.language.vocabulary import Vocabulary
from caffe_lrcn.language.vocabulary_card import check_streams, check_weights, stamp
from caffe_lrcn.proto.caffe_pb2 import LayerParameter
from caffe_lrcn.proto.weights_io import (
    find_vocabulary,
    read_weights,
    write_weights,
    write_weights_h5,
)

MINE, OTHER = Vocabulary(["a", "cat", "sits"]), Vocabulary(["a", "dog", "sits"])


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


@pytest.mark.parametrize("name", ["net.caffemodel", "net.caffemodel.h5"])
def test_weights_tell_their_vocabulary(folder, capsys, name):
    write = write_weights_h5 if name.endswith("h5") else partial(write_weights, name="net")
    layers = [(LayerParameter(name="ip", type="InnerProduct"), [np.ones((2, 3), np.float32)], None)]
    write(name, layers=layers, vocabulary=MINE.sha256)
    assert find_vocabulary(name) == MINE.sha256
    (layer,) = read_weights(name).layers  # the layers are as without it
    assert layer.name == "ip" and (layer.blobs[0] == 1).all()
    check_weights(name, MINE, "mine.txt")
    check_weights("absent.caffemodel", OTHER, "other.txt")  # loading it says what is wrong
    with pytest.raises(DataError, match=f"{name} were trained with another vocabulary"):
        check_weights(name, OTHER, "other.txt")
    words = ["caption", "a.jpg", "--weights", name, "--vocabulary", "other.txt"]
    assert main(words) == 1
    assert "with another vocabulary" in capsys.readouterr().err
    assert main([*words, "--other-vocabulary"]) == 1  # they are no captioner's
    assert "with another vocabulary" not in capsys.readouterr().err
    write(name, layers=layers)
    assert find_vocabulary(name) == ""
    check_weights(name, OTHER, "other.txt")
