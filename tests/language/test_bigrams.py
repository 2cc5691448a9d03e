"""Unigram and bigram baselines."""
import numpy as np
import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.language.bigrams import Bigrams, read_transitions
from caffe_lrcn.language.vocabulary import Vocabulary
from caffe_lrcn.tasks.captioning.prepare import Recipe, write_split

TRANSITIONS = np.array([[0, 2], [2, 3], [3, 0], [0, 2], [2, 0], [0, 3], [3, 0]])


def test_probabilities_sum_to_one_after_every_word():
    model = Bigrams(TRANSITIONS, words=6)
    for previous in range(6):
        total = sum(model.probability(previous, word) for word in range(6))
        assert total == pytest.approx(1)


def test_worked_example():
    # Pairs: 02 twice, 23, 30 twice, 20, 03: three once, two twice, so d = 3/7. Before word 2
    # stands one distinct word of 5 distinct pairs; add-one over 4 words: q(2) = 2/9.
    model = Bigrams(TRANSITIONS, words=4)
    assert model.probability(0, 2) == pytest.approx((2 - 3 / 7) / 3 + 3 / 7 * 2 / 3 * 2 / 9)
    # Word 1 never occurs: after it the shares of distinct words before each word count.
    assert model.probability(1, 2) == pytest.approx(2 / 9)


def test_perplexities():
    uniform = Bigrams(np.array([[0, 0], [1, 1]]), words=2)
    assert uniform.perplexities(np.array([[0, 1], [1, 0]]))[0] == pytest.approx(2)
    model = Bigrams(TRANSITIONS, words=4)
    unigram, bigram = model.perplexities(TRANSITIONS)
    assert unigram == pytest.approx((11 ** 7 / (4 ** 3 * 3 ** 2 * 3 ** 2)) ** (1 / 7))
    assert bigram < unigram


def test_reads_the_streams_without_padding(tmp_path):
    vocabulary = Vocabulary(["a", "b"])
    recipe = Recipe(tmp_path, streams=2, aligned=False)
    folder = write_split(recipe, "train", [("x", ["a", "b", "b"]), ("y", ["a"])], vocabulary,
                         lambda line: None)
    found = read_transitions(folder / "hdf5_chunk_list.txt")
    assert sorted(found.tolist()) == [[0, 2], [0, 2], [2, 0], [2, 3], [3, 0], [3, 3]]


def test_missing_files(tmp_path):
    with pytest.raises(DataError, match="cannot read the list"):
        read_transitions(tmp_path / "none.txt")
    (tmp_path / "list.txt").write_text(f"{tmp_path}/none.h5\n")
    with pytest.raises(DataError, match="none.h5: there is no such HDF5 file"):
        read_transitions(tmp_path / "list.txt")
