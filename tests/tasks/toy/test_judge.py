from __future__ import annotations

import numpy as np
import pytest

from caffe_lrcn.tasks.toy.grammar import RELATION_WORDS, SHAPE_WORDS, SIZE_WORDS, describe
from caffe_lrcn.tasks.toy.judge import judge, parse
from caffe_lrcn.tasks.toy.scene import (
    COLOURS,
    OPPOSITE,
    RELATIONS,
    SHAPES,
    Scene,
    Thing,
    random_scene,
)

_SCENE = Scene((Thing("circle", "red", "small"), Thing("square", "blue", "large")), "left")
_ALONE = Scene((Thing("cross", "white", "large"),))


def _described(count: int) -> list[tuple[str, Scene]]:
    random = np.random.default_rng(0)
    scenes = [random_scene(random, 1 + index % 2, False) for index in range(count)]
    return [(caption, scene) for scene in scenes for caption in describe(scene, random)]


def test_every_reference_is_right():
    for caption, scene in _described(300):
        judgement = judge(caption, scene)
        assert judgement.right and judgement.sizes, (caption, scene)


def _swap(caption: str, words: dict[str, str]) -> str:
    return " ".join(words.get(word, word) for word in caption.lower().rstrip(".").split())


_WRONG_COLOUR = dict(zip(COLOURS, (*COLOURS[1:], COLOURS[0]), strict=True))
_WRONG_SHAPE = {word: SHAPE_WORDS[SHAPES[(index + 1) % 4]][0]
                for index, shape in enumerate(SHAPES) for word in SHAPE_WORDS[shape]}
_WRONG_SIZE = {word: {"small": "huge", "large": "tiny"}[size]
               for size, words in SIZE_WORDS.items() for word in words}
_WRONG_RELATION = {"left": "right", "right": "left", "above": "under", "over": "beneath",
                   "below": "above", "under": "above", "beneath": "over"}


@pytest.mark.parametrize("words", [_WRONG_COLOUR, _WRONG_SHAPE])
def test_a_wrong_word_for_a_thing_is_wrong(words):
    for caption, scene in _described(100):
        assert not judge(_swap(caption, words), scene).right, caption


def test_a_wrong_relation_is_wrong():
    for caption, scene in _described(100):
        changed = _swap(caption, _WRONG_RELATION)
        if changed != _swap(caption, {}):
            judgement = judge(changed, scene)
            assert judgement.colours and not judgement.relation and not judgement.right, caption


def test_a_wrong_size_is_seen_but_does_not_count():
    changed = [(caption, scene) for caption, scene in _described(100)
               if any(word in _WRONG_SIZE for word in caption.lower().split())]
    assert len(changed) > 200
    for caption, scene in changed:
        judgement = judge(_swap(caption, _WRONG_SIZE), scene)
        assert judgement.right and not judgement.sizes, caption


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("told", RELATIONS)
def test_relations_between_two_things(relation, told):
    scene = Scene(_SCENE.things, relation)
    for words in RELATION_WORDS[told]:
        assert judge(f"a red disc is {words} a blue box", scene).relation == (told == relation)
        assert judge(f"{words} a red disc there is a blue box", scene).relation == (
            told == OPPOSITE[relation])


@pytest.mark.parametrize(("caption", "want"), [
    ("A red circle left of a blue square.", (True, True, True, True)),
    ("Right of a small red disc is a huge blue box", (True, True, True, True)),
    ("a blue square left of a red circle", (True, True, True, False)),
    ("a blue circle left of a red square", (True, True, False, False)),
    ("a red circle left of a blue cross", (True, False, False, False)),
    ("a red circle left of a red circle", (True, False, False, False)),
    ("this is a red circle", (True, False, False, False)),
    ("a red circle left of a blue", (False, False, False, False)),
    ("a red circle of a blue square", (False, False, False, False)),
    ("a red circle left of a blue square a", (False, False, False, False)),
    ("a circle left of a blue square", (False, False, False, False)),
    ("", (False, False, False, False))])
def test_two_things(caption, want):
    found = judge(caption, _SCENE)
    assert (found.grammatical, found.shapes, found.colours, found.relation) == want
    assert found.right == all(want)


@pytest.mark.parametrize(("caption", "right"), [
    ("we see a white plus", True), ("a tiny white cross", True), ("a green cross", False),
    ("a white circle", False), ("a white cross above a red square", False),
    ("a white cross above a white cross", False)])
def test_one_thing(caption, right):
    assert judge(caption, _ALONE).right == right


def test_parse():
    said = parse("There is a  Tiny red disc UNDER a white wedge .")
    assert said is not None
    assert said.things == (Thing("circle", "red", "small"), Thing("triangle", "white", ""))
    assert said.relation == "below"


def test_captions_differ_and_use_the_whole_grammar():
    random = np.random.default_rng(0)
    captions = describe(_SCENE, random, 200)
    assert len(set(captions)) == 200
    words = {word for caption in captions for word in caption.lower().rstrip(".").split()}
    left_and_right = [word for side in ("left", "right") for phrase in RELATION_WORDS[side]
                      for word in phrase.split()]
    synonyms = [*SHAPE_WORDS["circle"], *SHAPE_WORDS["square"], *SIZE_WORDS["small"],
                *SIZE_WORDS["large"], *left_and_right]
    assert words == {*synonyms, "a", "red", "blue", "is", "there", "we", "see"}


def test_the_subject_does_not_tell_the_relation():
    said = [parse(caption) for caption, scene in _described(400) if scene.relation]
    for relation in RELATIONS:
        share = sum(s is not None and s.relation == relation for s in said) / len(said)
        assert 0.2 < share < 0.3
