"""The English of the generated captions: one grammar, for writing them and for reading them.

A caption is a sentence form with phrases in it; a phrase is article, size (or not), colour and
shape. Every word but the article has synonyms, apart from the colours.
"""
from __future__ import annotations

import numpy as np

from .scene import OPPOSITE, Scene, Thing

SHAPE_WORDS = {"circle": ("circle", "disc"), "square": ("square", "box"),
               "triangle": ("triangle", "wedge"), "cross": ("cross", "plus")}
SIZE_WORDS = {"small": ("small", "little", "tiny"), "large": ("large", "big", "huge")}
RELATION_WORDS = {"left": ("left of", "to the left of", "on the left of"),
                  "right": ("right of", "to the right of", "on the right of"),
                  "above": ("above", "over", "higher than"),
                  "below": ("below", "under", "beneath")}
ONE_THING = ("{a}", "there is {a}", "this is {a}", "a picture of {a}", "{a} on its own",
             "we see {a}")
TWO_THINGS = ("{a} {relation} {b}", "{a} is {relation} {b}", "there is {a} {relation} {b}",
              "we see {a} {relation} {b}")
#: The same statement with the second thing named first.
TWO_THINGS_TURNED = ("{relation} {b} is {a}", "{relation} {b} there is {a}")
_SHARE_TURNED = 0.25
_SHARE_WITH_SIZE = 0.5


def describe(scene: Scene, random: np.random.Generator, count: int = 5) -> list[str]:
    """Return ``count`` different captions of a scene.

    Either thing is the subject of the sentence equally often, wherever they stand.
    """
    captions: dict[str, None] = {}
    while len(captions) < count:
        captions[_caption(scene, random)] = None
    return list(captions)


def _caption(scene: Scene, random: np.random.Generator) -> str:
    if scene.relation is None:
        return _sentence(_choose(random, ONE_THING), a=_phrase(scene.things[0], random))
    subject = int(random.integers(2))
    relation = (scene.relation, OPPOSITE[scene.relation])[subject]
    forms = TWO_THINGS_TURNED if random.random() < _SHARE_TURNED else TWO_THINGS
    return _sentence(_choose(random, forms), a=_phrase(scene.things[subject], random),
                     b=_phrase(scene.things[1 - subject], random),
                     relation=_choose(random, RELATION_WORDS[relation]))


def _phrase(thing: Thing, random: np.random.Generator) -> str:
    shape = _choose(random, SHAPE_WORDS[thing.shape])
    if random.random() < _SHARE_WITH_SIZE:
        return f"a {_choose(random, SIZE_WORDS[thing.size])} {thing.colour} {shape}"
    return f"a {thing.colour} {shape}"


def _sentence(form: str, **parts: str) -> str:
    text = form.format(**parts)
    return text[0].upper() + text[1:] + "."


def _choose(random: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[random.integers(len(options))]
