"""Captions to tokens."""
import pytest

from caffe_lrcn.language.caption_tokens import tokenize


@pytest.mark.parametrize("text, tokens", [
    ("A man rides a bike.", ["a", "man", "rides", "a", "bike"]),
    ("  Two DOGS, one cat  ", ["two", "dogs", ",", "one", "cat"]),
    ("A dog's ball", ["a", "dog", "'", "s", "ball"]),
    ("What?!", ["what", "?!"]),
    ("He said \"no\".", ["he", "said", "\"", "no", "\"."]),
    ("one ... two.", ["one", "...", "two"]),
    ("under_score 42", ["under_score", "42"]),
    ("two\nlines , \"\n quoted", ["two", "lines", ", \"", "quoted"]),
    ("", []), ("   ", []), (".", []), ("\n", []),
])
def test_tokens(text, tokens):
    assert tokenize(text) == tokens


def test_full_stop_after_a_blank_stays_a_token():
    assert tokenize("a dog .") == ["a", "dog", "."]


def test_quirk_letters_beyond_ascii_are_punctuation():
    assert tokenize("Café crème") == ["caf", "é", "cr", "è", "me"]
