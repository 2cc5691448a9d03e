"""Whether a caption is right: read by the grammar, compared with the scene."""
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import grammar
from .scene import COLOURS, OPPOSITE, Scene, Thing


@dataclass(frozen=True)
class Judgement:
    """What of a caption is right.

    Args:
        grammatical: it is a sentence of the grammar.
        shapes: it names the shape of every thing, and no other.
        colours: and with each shape its colour.
        sizes: no size that it gives is wrong.
        relation: it tells how two things with the right shapes and colours stand; for one thing:
            no relation is told.
    """

    grammatical: bool = False
    shapes: bool = False
    colours: bool = False
    sizes: bool = False
    relation: bool = False

    @property
    def right(self) -> bool:
        """Whether every thing, its colour and the relation are right (sizes may be left out)."""
        return self.shapes and self.colours and self.relation


@dataclass(frozen=True)
class Statement:
    """What a caption says: things, subject first, with sizes ``""`` where it gives none."""

    things: tuple[Thing, ...]
    relation: str | None


def judge(caption: str, scene: Scene) -> Judgement:
    """Return what of a caption is right about the scene.

    Args:
        caption: a sentence; capitals and a final full stop do not matter.
        scene: what the picture shows.
    """
    said = parse(caption)
    if said is None:
        return Judgement()
    # Two things differ in shape, so that the shape tells which one is meant.
    shown = {thing.shape: thing for thing in scene.things}
    named = {thing.shape: thing for thing in said.things}
    if named.keys() != shown.keys() or len(said.things) != len(scene.things):
        return Judgement(grammatical=True)
    colours = all(thing.colour == shown[shape].colour for shape, thing in named.items())
    sizes = all(thing.size in ("", shown[shape].size) for shape, thing in named.items())
    turned = said.things[0].shape != scene.things[0].shape
    relation = OPPOSITE[scene.relation] if scene.relation and turned else scene.relation
    return Judgement(True, True, colours, sizes, colours and said.relation == relation)


def parse(caption: str) -> Statement | None:
    """Return what a caption says, or None if it is not a sentence of the grammar."""
    text = " ".join(caption.lower().split()).removesuffix(".").rstrip()
    for form in _FORMS:
        match = form.fullmatch(text)
        if match:
            return _statement(match.groupdict())
    return None


def _alternatives(words: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {word: meaning for meaning, synonyms in words.items() for word in synonyms}


_SHAPES, _SIZES, _RELATIONS = (_alternatives(words) for words in (
    grammar.SHAPE_WORDS, grammar.SIZE_WORDS, grammar.RELATION_WORDS))


def _phrase_pattern(name: str) -> str:
    return (f"a (?:(?P<{name}_size>{'|'.join(_SIZES)}) )?"
            f"(?P<{name}_colour>{'|'.join(COLOURS)}) (?P<{name}_shape>{'|'.join(_SHAPES)})")


_FORMS = [re.compile(form.format(a=_phrase_pattern("a"), b=_phrase_pattern("b"),
                                 relation=f"(?P<relation>{'|'.join(_RELATIONS)})"))
          for form in (*grammar.ONE_THING, *grammar.TWO_THINGS, *grammar.TWO_THINGS_TURNED)]


def _statement(found: dict[str, str | None]) -> Statement:
    things = tuple(
        Thing(_SHAPES[shape], found[f"{name}_colour"] or "",
              _SIZES.get(found[f"{name}_size"] or "", ""))
        for name in "ab" if (shape := found.get(f"{name}_shape")))
    relation = found.get("relation")
    return Statement(things, _RELATIONS[relation] if relation else None)
