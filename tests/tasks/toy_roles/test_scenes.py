"""Scenes, their sentences and their pictures."""
from __future__ import annotations

import itertools
from dataclasses import astuple, replace

import numpy as np
import pytest

from caffe_lrcn import rng
from caffe_lrcn.tasks.toy_actions.drawing import random_look
from caffe_lrcn.tasks.toy_roles.drawing import draw_clip
from caffe_lrcn.tasks.toy_roles.grammar import describe
from caffe_lrcn.tasks.toy_roles.scenes import ALIKE, SLOTS, Scene, labels, random_scene
from caffe_lrcn.tasks.toy_roles.shapes import LOCATIONS, SOURCES, THINGS, TOOLS

SCENES = [random_scene(rng.generator(1, "test", number)) for number in range(3000)]


def test_slots_are_the_fields_and_every_label_comes():
    assert [slot.name for slot in SLOTS] == [*Scene.__dataclass_fields__]
    for slot, roles in zip(SLOTS, zip(*map(astuple, SCENES), strict=True), strict=True):
        assert set(roles) == set(slot.labels)
    assert labels(SCENES[0]) == [slot.labels.index(role)
                                 for slot, role in zip(SLOTS, astuple(SCENES[0]), strict=True)]


def test_labels_that_look_alike_are_all_labels():
    for slot in SLOTS:
        assert sorted(itertools.chain(*ALIKE[slot.name])) == sorted(slot.labels)


def test_there_is_a_shape_for_everything():
    _, tools, things, sources, locations = (set(slot.labels) for slot in SLOTS)
    assert (set(TOOLS), set(THINGS), set(SOURCES), set(LOCATIONS)) == (
        tools - {"none"}, things, sources - {"none"}, locations)


def test_slots_tell_about_each_other():
    """The activity can be guessed from the other slots far better than without them."""
    rest: dict[tuple[str, ...], dict[str, int]] = {}
    for scene in SCENES:
        counts = rest.setdefault(astuple(scene)[1:], {})
        counts[scene.activity] = counts.get(scene.activity, 0) + 1
    assert sum(max(counts.values()) for counts in rest.values()) / len(SCENES) > 0.9
    assert max(sum(scene.activity == name for scene in SCENES)
               for name in SLOTS[0].labels) / len(SCENES) < 0.25
    tools = [scene.tool for scene in SCENES if scene.activity == "peel"]
    assert 0.6 < tools.count("peeler") / len(tools) < 0.8 and set(tools) == {"peeler", "knife"}


def test_sentences_say_the_roles():
    scene = Scene("cut", "knife", "onion", "none", "board")
    said = set(describe(scene, rng.generator(1, "say"), 300))
    assert "The person chops an onion on the cutting board." in said
    assert "She dices an onion with a knife." in said
    assert len(said) > 20 and not any("slices" in text for text in said)
    assert any("scrubs" in text for text in describe(
        replace(scene, activity="wash", tool="brush"), rng.generator(1, "say"), 5))
    assert any("out of the fridge and puts it on a plate" in text for text in describe(
        Scene("take", "none", "egg", "fridge", "plate"), rng.generator(1, "say"), 60))


def test_sentences_are_whole():
    for number, scene in enumerate(SCENES[:600]):
        for text in describe(scene, rng.generator(2, number), 4):
            assert text[0].isupper() and text.endswith(".") and "  " not in text
            assert "none" not in text and "with ." not in text and "{" not in text
            assert " a egg" not in text and " a onion" not in text


def draw(scene: Scene, seed: int = 3, frames: int = 24) -> np.ndarray:
    texture = random_look(64, rng.generator(1, "look")).texture
    return draw_clip(scene, texture, frames, 64, rng.generator(seed, "draw")).astype(float)


@pytest.mark.parametrize("scene", [next(scene for scene in SCENES if scene.activity == name)
                                   for name in SLOTS[0].labels], ids=SLOTS[0].labels)
def test_clips_move_and_repeat_with_their_seed(scene):
    clip = draw(scene)
    assert clip.shape == (24, 64, 64, 3)
    still = np.median(np.abs(np.diff(clip, axis=0)), axis=(1, 2, 3))
    moving = np.percentile(np.abs(np.diff(clip, axis=0)), 99.5, axis=(1, 2, 3))
    assert (moving > 2 * still).mean() > 0.5
    np.testing.assert_array_equal(clip, draw(scene))
    assert (clip != draw(scene, seed=4)).any()


@pytest.mark.parametrize(("field", "others"), [
    ("tool", ("peeler", "spoon", "whisk", "shaker", "brush")),
    ("object", ("carrot", "cucumber", "potato", "egg", "bread")),
    ("location", ("counter", "plate", "bowl", "pan", "sink"))])
def test_each_role_shows(field, others):
    scene = Scene("cut", "knife", "onion", "none", "board")
    clip = draw(scene)
    for other in others:
        assert np.abs(draw(replace(scene, **{field: other})) - clip).mean() > 0.3


def test_each_source_shows():
    scene = Scene("take", "none", "onion", "fridge", "board")
    for other in ("cupboard", "drawer"):
        assert np.abs(draw(replace(scene, source=other)) - draw(scene)).mean() > 0.3
    scene = Scene("pour", "none", "water", "jug", "bowl")
    assert np.abs(draw(replace(scene, source="bottle")) - draw(scene)).mean() > 0.3
