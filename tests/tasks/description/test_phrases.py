"""Alignments, phrases and their scores on a corpus that can be followed by hand."""
from __future__ import annotations

import math

import pytest

from caffe_lrcn.tasks.description.phrases import Phrase, align, extract, grow

CUT, PEEL, KNIFE, CARROT, ONION = 0, 1, 2, 3, 4
PAIRS = [((verb, thing), (said, "the", name))
         for verb, said in ((CUT, "cuts"), (PEEL, "peels"))
         for thing, name in ((CARROT, "carrot"), (ONION, "onion"))] * 3


def silent(line: str) -> None:
    """Take a line of progress."""


def test_alignment_finds_what_belongs_together():
    for links in align(PAIRS, 5, silent):
        assert {(0, 0), (1, 2)} <= links


def test_alignment_reports_each_iteration():
    lines: list[str] = []
    align(PAIRS, 2, lines.append)
    assert len(lines) == 8 and "model 2, 2 of 2" in lines[-1]


@pytest.mark.parametrize(("forth", "back", "wanted"), [
    ({(0, 0), (1, 2)}, {(0, 0)}, {(0, 0), (1, 2)}),         # final: neither has one
    ({(0, 0), (0, 1)}, {(0, 0)}, {(0, 0), (0, 1)}),         # a neighbour, its word is free
    ({(0, 0), (0, 3)}, {(0, 0)}, {(0, 0)}),                 # not a neighbour, its slot is not free
    ({(0, 0), (1, 1)}, {(0, 0), (1, 1), (0, 1)}, {(0, 0), (1, 1)}),  # neither is free
    (set(), {(1, 1), (0, 1)}, {(0, 1)}),
    (set(), set(), set()),
])
def test_both_directions_become_one(forth, back, wanted):
    assert grow(frozenset(forth), frozenset(back)) == wanted


def test_phrases_and_scores_by_hand():
    # "the" has no link: it goes with either side, or with both.
    pairs = [((CUT, CARROT), ("cuts", "the", "carrot")), ((CUT, ONION), ("cuts", "onion"))]
    links = [frozenset({(0, 0), (1, 2)}), frozenset({(0, 0), (1, 1)})]
    table = extract(pairs, links, 7, 20)
    assert {labels: [" ".join(phrase.words) for phrase in phrases]
            for labels, phrases in table.items()} == {
        (CUT,): ["cuts", "cuts the"], (CARROT,): ["carrot", "the carrot"], (ONION,): ["onion"],
        (CUT, CARROT): ["cuts the carrot"], (CUT, ONION): ["cuts onion"]}
    cuts, cuts_the = table[CUT,]
    assert cuts == Phrase(("cuts",), (round(math.log(2 / 3), 5), 0, 0, 0))
    # "the" was said for no label once, of one such word.
    assert cuts_the.scores == (round(math.log(1 / 3), 5), 0, 0, 0)
    assert table[CARROT,][0].scores[0] == round(math.log(1 / 2), 5)


def test_labels_that_are_left_out_have_an_empty_phrase():
    pairs = [((CUT, KNIFE), ("cuts",)), ((CUT, KNIFE), ("cuts", "knife"))]
    table = extract(pairs, [frozenset({(0, 0)}), frozenset({(0, 0), (1, 1)})], 7, 20)
    assert [phrase.words for phrase in table[KNIFE,]] == [(), ("knife",)]
    empty = table[KNIFE,][0]
    assert empty.scores[2] == 0  # no words to explain
    assert empty.scores[3] == 0  # whatever was left out was the knife


def test_limits_of_phrases():
    pairs = [((CUT,), ("cuts", "and", "chops"))]
    links = [frozenset({(0, 0), (0, 2)})]
    assert extract(pairs, links, 2, 20) == {}  # it is not cut short
    assert [phrase.words for phrase in extract(pairs, links, 3, 20)[CUT,]] == [pairs[0][1]]
    many = [((CUT,), (word,)) for word in ("cuts", "cuts", "chops", "chops", "slices")]
    kept = extract(many, [frozenset({(0, 0)})] * 5, 7, 2)[CUT,]
    assert [phrase.words for phrase in kept] == [("chops",), ("cuts",)]
