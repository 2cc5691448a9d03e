"""The search against all translations, and on lattices."""
from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from caffe_lrcn.errors import DataError
from caffe_lrcn.language.ngrams import NGrams
from caffe_lrcn.tasks.description.lattice import DEFAULT_WEIGHTS, FEATURES, lattices
from caffe_lrcn.tasks.description.phrases import Phrase
from caffe_lrcn.tasks.description.roles import Roles, Slot
from caffe_lrcn.tasks.description.stack_search import StackSearch

WORDS = "abcd"


def random_case(seed: int):
    """Return (table, model, weights) over three slots of two labels."""
    random = np.random.default_rng(seed)
    model = NGrams.from_sentences(random.choice([*WORDS], (12, 4)).tolist(), 3)
    table = {}
    for size in (1, 2, 3):
        for first in range(4 - size):
            for labels in itertools.product(*((2 * slot, 2 * slot + 1)
                                              for slot in range(first, first + size))):
                if size == 1 or random.random() < 0.5:
                    table[labels] = [
                        Phrase(tuple(random.choice([*WORDS], random.integers(0, 3)).tolist()),
                               tuple(random.normal(-1, 1, 4).tolist())) for _ in range(2)]
    return table, model, tuple(random.normal(0.3, 0.5, len(FEATURES)).tolist())


def exhaustive(table, model, weights, lattice):
    """Return words -> best score over all phrases, in all orders, for all labels."""
    found: dict[tuple[str, ...], float] = {}
    spans = [(i, j) for i in range(len(lattice)) for j in range(i + 1, len(lattice) + 1)]
    for size in range(1, len(lattice) + 1):
        for chosen in itertools.permutations(spans, size):
            if sorted(slot for i, j in chosen for slot in range(i, j)) != [*range(len(lattice))]:
                continue
            for path in itertools.product(*lattice):
                labels = [label for label, _ in path]
                for phrases in itertools.product(*(table.get(tuple(labels[i:j]), [])
                                                   for i, j in chosen)):
                    words = tuple(word for phrase in phrases for word in phrase.words)
                    if words:
                        score = total(phrases, chosen, words, path, model, weights)
                        found[words] = max(found.get(words, -math.inf), score)
    return found


def total(phrases, chosen, words, path, model, weights):
    """Return the score of one way, written out."""
    language, context = model.extend(model.start, words)
    ends = [0, *(last for _, last in chosen)]
    distance = sum(abs(first - end) for (first, _), end in zip(chosen, ends, strict=False))
    features = [*(sum(phrase.scores[k] for phrase in phrases) for k in range(4)),
                sum(log_prob for _, log_prob in path), len(words), len(phrases),
                language + model.end(context), -distance]
    return float(np.dot(weights, features))


@pytest.mark.parametrize("seed", range(6))
def test_search_finds_the_best_of_all_translations(seed):
    table, model, weights = random_case(seed)
    lattice = (((0, 0.0), (1, -0.4)), ((3, 0.0), (2, -1.0)), ((4, 0.0),))
    wanted = sorted(exhaustive(table, model, weights, lattice).values(), reverse=True)
    found = StackSearch(table, model, weights, 10_000, 100).best(lattice, 20)
    assert [candidate.score for candidate in found] == pytest.approx(wanted[:20])
    assert len({candidate.words for candidate in found}) == len(found)
    for candidate in found:  # the features tell the score
        assert np.dot(candidate.features, weights) == pytest.approx(candidate.score)


def test_a_small_stack_is_a_search_too():
    table, model, weights = random_case(1)
    lattice = (((0, 0.0),), ((2, 0.0),), ((4, 0.0),))
    best = max(exhaustive(table, model, weights, lattice).values())
    (found,) = StackSearch(table, model, weights, 2, 2).best(lattice)
    assert found.score <= best + 1e-9


def test_labels_without_a_translation_are_left_out():
    model = NGrams.from_sentences([["cuts"]], 2)
    table = {(0,): [Phrase(("cuts",), (0.0,) * 4)]}
    search = StackSearch(table, model, DEFAULT_WEIGHTS)
    assert search.best((((0, 0.0),), ((7, 0.0),)))[0].words == ("cuts",)
    assert search.best((((6, 0.0),), ((7, 0.0),))) == []


def roles(probabilities, labels=None, joint=False):
    """Return roles of one clip with an activity and an object."""
    slots = (Slot("activity", ("peel", "slice")), Slot("object", ("carrot", "bread")))
    vector = np.array([probabilities], float)
    if labels is None:
        labels = [[int(vector[0, :2].argmax()), int(vector[0, 2:].argmax())]]
    return Roles("r.json", slots, ["v"], [None], np.array(labels), vector, [[]], joint)


def test_lattice_holds_the_best_labels():
    (lattice,) = lattices(roles([0.6, 0.4, 0.0, 1.0]), 2)
    assert lattice == (((0, 0.0), (1, pytest.approx(math.log(0.4 / 0.6)))), ((3, 0.0),))


def test_one_label_of_each_slot_is_the_maximum():
    given = roles([0.6, 0.4, 0.2, 0.8])
    assert lattices(given, 1) == [(((0, 0.0),), ((3, 0.0),))]
    # A joint maximum, and the second of two equals, stay first.
    assert lattices(roles([0.6, 0.4, 0.2, 0.8], [[1, 1]], joint=True), 2)[0][0][0] == (1, 0.0)
    assert lattices(roles([0.5, 0.5, 0.2, 0.8], [[1, 1]]), 2)[0][0] == ((1, 0.0), (0, 0.0))


def test_lattice_needs_probabilities():
    given = roles([0.6, 0.4, 0.2, 0.8])
    bare = Roles(given.path, given.slots, given.ids, given.videos, given.labels, None, [[]])
    assert lattices(bare, 1)
    with pytest.raises(DataError, match="r.json: a lattice needs the labels' probabilities"):
        lattices(bare, 2)


def test_language_model_repairs_a_confusion():
    # Nobody peels bread: what is peeled is a carrot.
    said = [["he", "peels", "the", "carrot"], ["he", "slices", "the", "bread"]] * 5
    model = NGrams.from_sentences(said, 3)
    same = (0.0,) * 4
    table = {(0,): [Phrase(("he", "peels", "the"), same)], (1,): [Phrase(("he", "slices", "the"),
                                                                         same)],
             (2,): [Phrase(("carrot",), same)], (3,): [Phrase(("bread",), same)]}
    search = StackSearch(table, model, DEFAULT_WEIGHTS)
    unsure = roles([0.9, 0.1, 0.45, 0.55])
    (maxima,), (lattice,) = lattices(unsure, 1), lattices(unsure, 2)
    assert search.best(maxima)[0].words == ("he", "peels", "the", "bread")
    assert search.best(lattice)[0].words == ("he", "peels", "the", "carrot")
    sure = roles([0.9999, 0.0001, 0.0001, 0.9999])
    assert search.best(lattices(sure, 2)[0])[0].words == ("he", "peels", "the", "bread")
