"""Files of trained translators: JSON.

An object with ``format``, ``slots`` (as in a file of roles), ``words`` (a list; the rest names
words by their places in it), ``ngrams`` (lists of one to n words and how often they occur),
``phrases`` (labels, numbered over all slots; words; four log probabilities), ``weights`` (by the
features' names), ``recipe`` (how it was trained), ``about`` (what on) and ``held_out`` (null, or
the number of clips that the weights were chosen on and BLEU-4 there).
"""
from __future__ import annotations

import json
import os
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ...collection import paused_collection
from ...errors import DataError
from ...files import new_file
from ...language.ngrams import NGrams
from ...language.text_files import brief, is_name, read_json
from .lattice import FEATURES
from .phrases import Phrase, PhraseTable
from .role_records import check_slots
from .roles_json import read_slot
from .translation import Recipe, Translator

FORMAT = "caffe_lrcn translation 1"
_WANTED = "a file that 'caffe-lrcn translate train' wrote"
_REMEDY = "Train it again: caffe-lrcn translate train"


def write_translator(path: str | os.PathLike[str], translator: Translator) -> None:
    """Write a trained system.

    Raises:
        DataError: the file cannot be written.
    """
    counts = translator.model.counts()
    words = [gram[0] for gram, _ in counts if len(gram) == 1]
    words += [word for word in translator.model.start[:1] if word not in words]
    place = {word: number for number, word in enumerate(words)}
    data = {
        "format": FORMAT,
        "slots": [{"name": slot.name, "labels": slot.labels} for slot in translator.slots],
        "about": translator.about, "recipe": asdict(translator.recipe),
        "held_out": translator.held_out,
        "weights": dict(zip(FEATURES, translator.weights, strict=True)),
        "words": words,
        "ngrams": [[*(place[word] for word in gram), count] for gram, count in counts],
        "phrases": [[labels, [place[word] for word in phrase.words], phrase.scores]
                    for labels, phrases in translator.table.items() for phrase in phrases]}
    with new_file(path, DataError, "the model") as file:
        json.dump(data, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")


def read_translator(path: str | os.PathLike[str]) -> Translator:
    """Return the trained system in a file.

    Raises:
        DataError: the file cannot be read, or is of another form.
    """
    data = read_json(Path(path), "parts of the model", _WANTED)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise DataError("not a translation model", where=path, wanted=_WANTED,
                        got=brief(data.get("format")) if isinstance(data, dict) else None)
    try:
        with paused_collection():
            return _translator(data, path)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError("the model is damaged", where=path, got=f"{type(error).__name__}: {error}",
                        remedy=_REMEDY) from error


def _translator(data: dict[str, Any], path: str | os.PathLike[str]) -> Translator:
    slots = tuple(read_slot(entry, f"{path}: slots[{number}]")
                  for number, entry in enumerate(data["slots"]))
    check_slots(slots, os.fspath(path))
    recipe = Recipe(**data["recipe"])
    _see(all(type(value) is int for value in asdict(recipe).values())
         and 2 <= recipe.order <= len(data["ngrams"])
         and min(recipe.lattice, recipe.stack, recipe.limit) >= 1, "recipe")
    weights = tuple(float(data["weights"][name]) for name in FEATURES)
    _see(np.isfinite(weights).all(), "weights")
    words = data["words"]
    _see(all(isinstance(word, str) and is_name(word) for word in words), "words")
    grams = [(tuple(words[_number(place, len(words))] for place in row[:-1]),
              _number(row[-1], None)) for row in data["ngrams"]]
    _see({len(gram) for gram, _ in grams} == {*range(1, recipe.order + 1)}
         and all(count > 0 for _, count in grams), "ngrams")
    states = sum(len(slot.labels) for slot in slots)
    table = _table(data["phrases"], words, {gram[0] for gram, _ in grams if len(gram) == 1},
                   states)
    held_out = data["held_out"]
    return Translator(slots, table, NGrams(recipe.order, grams), weights, recipe,
                      dict(data["about"]),
                      None if held_out is None else (int(held_out[0]), float(held_out[1])))


def _table(rows: list[Any], words: list[str], known: set[str], states: int) -> PhraseTable:
    table: defaultdict[tuple[int, ...], list[Phrase]] = defaultdict(list)
    for labels, places, scores in rows:
        phrase = Phrase(tuple(words[_number(place, len(words))] for place in places),
                        tuple(map(float, scores)))
        _see(len(scores) == 4 and np.isfinite(phrase.scores).all() and len(labels) > 0
             and known.issuperset(phrase.words), "phrases")
        table[tuple(_number(label, states) for label in labels)].append(phrase)
    return dict(table)


def _number(value: Any, end: int | None) -> int:
    if type(value) is not int or value < 0 or (end is not None and value >= end):
        raise ValueError(f"{brief(value)} where a number{'' if end is None else f' below {end}'} "
                         "should be")
    return value


def _see(holds: object, part: str) -> None:
    if not holds:
        raise ValueError(f"wrong values in '{part}'")
