"""METEOR: figures of the original tool with the same modules, and its aligner."""
from __future__ import annotations

import gzip
import itertools
import json

import numpy as np
import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.language.ptb_tokens import PTBTokenizer
from caffe_lrcn.metrics import Meteor
from caffe_lrcn.metrics import meteor_search as search
from caffe_lrcn.metrics.meteor_align import align, chunks
from caffe_lrcn.metrics.meteor_words import Preparer, split_words
from tests.language.test_ptb_tokens import GOLDEN


@pytest.fixture(scope="module")
def captions():
    tokenize = PTBTokenizer()
    images = json.loads(GOLDEN.read_text(encoding="utf-8"))["per_image"].values()
    return ([" ".join(tokenize(image["candidate"])) for image in images],
            [[" ".join(tokenize(text)) for text in image["references"]] for image in images])


def test_equals_the_original_with_exact_and_stem(captions):
    meteor = Meteor()
    corpus, scores = meteor(*captions)
    assert meteor.name == "METEOR (exact+stem)"
    # The original tool with -m "exact stem" -w "1 0.6" on these captions.
    assert corpus == pytest.approx(0.1891149928277328, abs=1e-12)
    assert scores.shape == (150,)


def test_pruning_changes_nothing(captions, monkeypatch):
    pruned = Meteor()(*captions)
    monkeypatch.setattr(search, "_path_count", lambda *_: search._BEAM + 1)
    full = Meteor()(*captions)
    assert pruned[0] == full[0]
    np.testing.assert_array_equal(pruned[1], full[1])


def test_pruning_would_show_if_it_were_wrong(captions, monkeypatch):
    """The comparison above can fail: a search that never skips a word is another search."""
    full = Meteor()(*captions)
    monkeypatch.setattr(search._Limits, "may_skip", lambda *_: False)
    assert Meteor()(*captions)[0] != full[0]


@pytest.mark.parametrize(("candidate", "reference", "wanted"), [
    ("a dog", "a dog", [(0, 0), (1, 1)]),
    ("the cat sat", "cats sit", [(1, 0)]),                       # stem
    ("a b a c", "x a c", [(2, 1), (3, 2)]),                      # fewest chunks
    ("a man and a dog", "a dog", [(3, 0), (4, 1)]),
])
def test_alignment(candidate, reference, wanted):
    prepare = Preparer()
    matches = align(prepare(candidate), prepare(reference))
    assert [(match.place, match.start) for match in matches] == wanted


def test_alignment_covers_most_words_in_fewest_chunks():
    """The search equals trying everything, for exact words and where the beam has room."""
    prepare = Preparer()
    for first, second in itertools.product(itertools.product("ab", repeat=3), repeat=2):
        matches = align(prepare(" ".join(first)), prepare(" ".join(second)))
        assert (-len(matches), chunks(matches)) == min(every(first, second)), (first, second)


def every(first: tuple[str, ...], second: tuple[str, ...]):
    """Yield (-matches, chunks) of every alignment of exact words."""
    choices = [[None, *(i for i, other in enumerate(first) if other == word)] for word in second]
    for places in itertools.product(*choices):
        taken = [place for place in places if place is not None]
        if len(set(taken)) == len(taken):
            yield -len(taken), chunks([search.Match(0, start, 1, place, 1)
                                       for start, place in enumerate(places)
                                       if place is not None])


def test_synonyms_count():
    groups = {"dog": frozenset("1"), "hound": frozenset("12")}
    meteor = Meteor(lambda word: groups.get(word, frozenset()))
    assert meteor.name == "METEOR (exact+stem+synonym)"
    with_synonyms = meteor(["a hound runs"], [["a dog runs"]])[0]
    assert with_synonyms > Meteor()(["a hound runs"], [["a dog runs"]])[0]
    # P = R: weights delta for content words, 1 - delta for "a"; the synonym counts 0.8 of a word.
    share = (0.25 + 0.75 * (1 + 0.8)) / (0.25 + 0.75 * 2)
    assert with_synonyms == pytest.approx(share)


def test_whole_captions_have_no_penalty():
    scores = Meteor()(["a dog", "the cat"], [["a dog"], ["cat the"]])
    assert scores[1][0] == 1.0
    # Two chunks of two words: the full penalty gamma.
    assert scores[1][1] == pytest.approx(1 - 0.6)


def test_paraphrases_count(tmp_path):
    table = tmp_path / "table.gz"
    with gzip.open(table, "wt", encoding="utf-8") as file:
        file.write("0.5\nyoung man\nboy\n0.1\nunused words\nboy\n")
    meteor = Meteor(paraphrases=table)
    assert meteor.name == "METEOR (exact+stem+paraphrase)"
    assert meteor(["a boy runs"], [["a young man runs"]])[0] > Meteor()(
        ["a boy runs"], [["a young man runs"]])[0]
    assert meteor(["a young"], [["young man"]])[0] > 0


def test_a_damaged_table_of_paraphrases(tmp_path):
    table = tmp_path / "table"
    table.write_text("0.5\nyoung man\nboy\n0.5\nx\n", encoding="utf-8")
    with pytest.raises(DataError, match="table:5: .*breaks off"):
        Meteor(paraphrases=table)(["a boy"], [["a young man"]])
    with pytest.raises(DataError, match="cannot read the paraphrase table"):
        Meteor(paraphrases=tmp_path / "absent")(["a"], [["b"]])


@pytest.mark.parametrize(("text", "words"), [
    ("dog 's is n't we 'll 1,000 u.s. st. p.m.", "dog ' s is n 't we ' ll 1,000 us st. pm"),
    ("3.5 1/2 t-shirt r&b $ -lrb- 'n' o'clock", "3.5 1 / 2 t shirt r & b $ -lrb- ' n ' o 'clock"),
    ("5:30 c++ 12. x jr. 5 st.", "5 : 30 c + + 12. x jr . 5 st ."),
])
def test_words_are_split_as_the_original_does(text, words):
    assert " ".join(split_words(text)) == words
