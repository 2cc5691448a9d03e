"""The n-gram model of sentences."""
from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from caffe_lrcn.language.ngrams import NGrams

SENTENCES = ["a b", "a b", "a c b", "c"]


@pytest.fixture
def model():
    return NGrams.from_sentences(map(str.split, SENTENCES), 3)


def test_probabilities_by_hand():
    model = NGrams.from_sentences([["a", "b"], ["a"]], 2)
    # Unigrams <s> <s> a a b </s> </s>; after a: b and </s>, once each.
    unigram = 1 / 7
    assert model.log_prob(("a",), "b") == pytest.approx(math.log((1 + 2 * unigram) / (2 + 2)))
    assert model.log_prob(("x",), "b") == pytest.approx(math.log(unigram))
    assert model.log_prob(("a",), "x") == -math.inf


def test_sentence_is_the_sum_of_its_words(model):
    total, context = model.extend(model.start, ["a", "c", "b"])
    assert context == ("c", "b")
    steps = [(("<s>", "<s>"), "a"), (("<s>", "a"), "c"), (("a", "c"), "b")]
    assert total == pytest.approx(sum(model.log_prob(*step) for step in steps))
    assert model.end(context) == model.log_prob(("c", "b"), "</s>")


def test_counts_make_the_same_model(model):
    again = NGrams(3, model.counts())
    assert again.counts() == model.counts()
    for context in itertools.product("abc", repeat=2):
        for word in "abc":
            assert again.log_prob(context, word) == model.log_prob(context, word)


def test_most_probable_sentence_against_all_of_them(model):
    def log_prob(words):
        total, context = model.extend(model.start, words)
        return total + model.end(context)
    sentences = (words for size in range(1, 5) for words in itertools.product("abc", repeat=size))
    assert model.most_probable() == [*max(sentences, key=log_prob)] == ["a", "b"]


def test_samples_are_of_the_training_sentences_n_grams(model):
    random = np.random.default_rng(1)
    drawn = {" ".join(model.sample(random)) for _ in range(50)}
    assert drawn == {"a b", "a c b", "c"}
