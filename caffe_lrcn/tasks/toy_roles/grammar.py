"""Sentences about a scene: an activity has several ways to be said, words have synonyms.

Which verb is used depends on the object too (bread is sliced, an onion chopped), and a role may be
left out, so that words tell about roles that nobody recognised.
"""
from __future__ import annotations

import numpy as np

from .scenes import NONE, Scene

_SUBJECTS = ("the person", "the person", "a person", "the cook", "she")
_THINGS = {"egg": "an egg", "onion": "an onion", "bread": "the bread", "soup": "the soup",
           "sauce": "the sauce", "water": "some water", "milk": "some milk"}
_PLACES = {"board": "on the cutting board", "counter": "on the counter", "plate": "on a plate",
           "bowl": "in a bowl", "pan": "in the pan", "sink": "in the sink"}
_INTO = {"board": "onto the cutting board", "counter": "onto the counter", "plate": "onto a plate",
         "bowl": "into a bowl", "pan": "into the pan", "sink": "into the sink"}
_CUTS: dict[str, tuple[str, ...]] = {
    "bread": ("slices",), "onion": ("chops", "dices"), "potato": ("cuts up", "dices"),
    "cucumber": ("slices", "cuts up"), "carrot": ("cuts up", "chops")}
_STIRS: dict[str, tuple[str, ...]] = {"egg": ("beats", "whisks"), "milk": ("whisks", "stirs")}
_VERBS = {"cut": _CUTS, "stir": _STIRS}
_TAKES = {"fridge": ("out of the fridge", "from the fridge"),
          "cupboard": ("out of the cupboard", "from the cupboard"),
          "drawer": ("out of the drawer", "from the drawer")}
# {who}, {verb}, {thing}, {tool}, {place}, {into}, {source} of the scene.
_FORMS: dict[str, tuple[str, ...]] = {
    "cut": ("{who} {verb} {thing} {place}", "{who} {verb} {thing} {place}",
            "{who} {verb} {thing} with {tool}", "{who} {verb} {thing} {place} with {tool}"),
    "peel": ("{who} peels {thing} with {tool}", "{who} peels {thing} {place}",
             "{who} peels {thing} {place}"),
    "stir": ("{who} {verb} {thing} {place}", "{who} {verb} {thing} {place} with {tool}",
             "{who} {verb} {thing} with {tool}"),
    "season": ("{who} puts some salt on {thing} {place}", "{who} seasons {thing} {place}",
               "{who} seasons {thing} with {tool}"),
    "pour": ("{who} pours {thing} from {source} {into}", "{who} pours {thing} {into}",
             "{who} adds {thing} from {source}"),
    "wash": ("{who} washes {thing} {place}", "{who} rinses {thing} {place}",
             "{who} washes {thing}"),
    "take": ("{who} takes {thing} {source}", "{who} gets {thing} {source}",
             "{who} takes {thing} {source} and puts it {place}"),
}
_WITH_BRUSH = ("{who} scrubs {thing} {place}", "{who} scrubs {thing} with {tool}")


def describe(scene: Scene, random: np.random.Generator, count: int) -> list[str]:
    """Return ``count`` sentences about a scene; some may be the same."""
    return [_sentence(scene, random) for _ in range(count)]


def _sentence(scene: Scene, random: np.random.Generator) -> str:
    forms = _WITH_BRUSH if scene.tool == "brush" else _FORMS[scene.activity]
    verbs = _VERBS.get(scene.activity, {}).get(scene.object, ("stirs",))
    source = scene.source
    if source in _TAKES:
        source = _choose(_TAKES[source], random)
    text = _choose(forms, random).format(
        who=_choose(_SUBJECTS, random), verb=_choose(verbs, random),
        thing=_THINGS.get(scene.object, f"a {scene.object}"),
        tool="" if scene.tool == NONE else f"a {scene.tool}",
        place=_PLACES[scene.location], into=_INTO[scene.location],
        source=f"a {source}" if source == scene.source else source)
    return text[0].upper() + text[1:] + "."


def _choose(options: tuple[str, ...], random: np.random.Generator) -> str:
    return options[random.integers(len(options))]
