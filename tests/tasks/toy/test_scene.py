from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from caffe_lrcn.tasks.toy.attributes import NAMES, SHAPE_NAMES, attributes
from caffe_lrcn.tasks.toy.scene import (
    COLOURS,
    HELD_OUT,
    OPPOSITE,
    RELATIONS,
    SHAPES,
    Scene,
    Thing,
    random_scene,
)

_RED, _BLUE = Thing("circle", "red", "small"), Thing("square", "blue", "large")


def _scenes(count: int, unseen: bool) -> list[Scene]:
    random = np.random.default_rng(0)
    return [random_scene(random, 2, unseen) for _ in range(count)]


def test_every_shape_and_relation_loses_as_many_combinations():
    shapes, colours, relations = zip(*HELD_OUT, strict=True)
    assert set(Counter(relations).values()) == set(Counter(shapes).values()) == {2}
    assert len(set(zip(shapes, colours, strict=True))) == len(HELD_OUT) == 8
    assert set(colours) == set(COLOURS)


@pytest.mark.parametrize("unseen", [False, True])
def test_unseen_scenes_are_kept_apart(unseen):
    for scene in _scenes(300, unseen):
        combinations = {(thing.shape, thing.colour, relation)
                        for thing, relation in scene.placed()}
        assert bool(combinations & HELD_OUT) == scene.unseen == unseen


def test_training_shows_every_shape_colour_and_relation():
    seen = [(thing, relation) for scene in _scenes(600, False)
            for thing, relation in scene.placed()]
    assert len({(thing.shape, thing.colour) for thing, _ in seen}) == len(SHAPES) * len(COLOURS)
    assert {relation for _, relation in seen} == set(RELATIONS)
    assert {thing.size for thing, _ in seen} == {"small", "large"}


def test_two_things_differ_in_shape_and_colour():
    for scene in _scenes(100, False):
        first, second = scene.things
        assert first.shape != second.shape and first.colour != second.colour


@pytest.mark.parametrize("unseen", [False, True])
def test_the_order_of_the_things_does_not_tell_the_relation(unseen):
    counts = Counter(scene.relation for scene in _scenes(2000, unseen))
    assert all(420 < counts[relation] < 580 for relation in RELATIONS)


def test_one_thing_has_no_relation():
    scene = random_scene(np.random.default_rng(0), 1, False)
    assert len(scene.things) == 1 and scene.relation is None and not scene.unseen


@pytest.mark.parametrize("relation", RELATIONS)
def test_attributes(relation):
    row = attributes(Scene((_RED, _BLUE), relation))
    there = OPPOSITE[relation]
    assert row.shape == (len(NAMES),) == (64,)
    assert {name for name, value in zip(NAMES, row, strict=True) if value} == {
        "circle", "square", f"{relation}: circle", f"{relation}: red",
        f"{relation}: small", f"{there}: square", f"{there}: blue", f"{there}: large"}


def test_attributes_of_shapes_come_first():
    assert all(any(shape in name for shape in SHAPES) for name in SHAPE_NAMES)
    assert not any(shape in name for name in NAMES[len(SHAPE_NAMES):] for shape in SHAPES)


def test_attributes_of_one_thing():
    row = attributes(Scene((_BLUE,)))
    assert {name for name, value in zip(NAMES, row, strict=True) if value} == {
        "square", "alone: square", "alone: blue", "alone: large"}


def test_attributes_do_not_depend_on_the_order():
    np.testing.assert_array_equal(attributes(Scene((_RED, _BLUE), "left")),
                                  attributes(Scene((_BLUE, _RED), "right")))
