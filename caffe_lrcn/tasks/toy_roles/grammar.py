"""Sentences about a scene: an activity has several ways to be said, words have synonyms.

Which verb is used depends on the object too (bread is sliced, an onion chopped), and a role may be
left out, so that words tell about roles that nobody recognised.
"""
from __future__ import annotations

import itertools

import numpy as np

from .scenes import Scene

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


def is_true(text: str, scene: Scene) -> bool:
    """Tell whether a sentence is one that could have been written about a scene."""
    options = _options(scene)
    return any(text == _write(dict(zip(options, words, strict=True)))
               for words in itertools.product(*options.values()))


def _sentence(scene: Scene, random: np.random.Generator) -> str:
    return _write({name: _choose(words, random) for name, words in _options(scene).items()})


def _options(scene: Scene) -> dict[str, tuple[str, ...]]:
    """Return the forms of sentences about a scene, and the words for each gap of them."""
    return {
        "source": _TAKES.get(scene.source, (f"a {scene.source}",)),
        "form": _WITH_BRUSH if scene.tool == "brush" else _FORMS[scene.activity],
        "who": _SUBJECTS,
        "verb": _VERBS.get(scene.activity, {}).get(scene.object, ("stirs",)),
        "thing": (_THINGS.get(scene.object, f"a {scene.object}"),),
        "tool": (f"a {scene.tool}",), "place": (_PLACES[scene.location],),
        "into": (_INTO[scene.location],)}


def _write(words: dict[str, str]) -> str:
    text = words["form"].format(**words)
    return text[0].upper() + text[1:] + "."


def _choose(options: tuple[str, ...], random: np.random.Generator) -> str:
    return options[random.integers(len(options))]
