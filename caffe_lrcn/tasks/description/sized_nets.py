"""Copies of the definitions of ``prototxt/description`` with the numbers and paths of a data set.

A number of a definition that belongs to the data has a mark behind it, such as ``# words``.
"""
from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from ...errors import DataError
from ...files import new_file
from ...language.vocabulary import Vocabulary
from ...paths import resolve
from ..captioning.prepare import Recipe
from .role_records import Slot

#: size -> folder of its definitions, and how many sentences they take side by side.
SIZES = {"paper": ("prototxt/description", 100), "small": ("prototxt/description/small", 20)}
NETS = ("encoder_decoder.prototxt", "encoder_decoder.deploy.prototxt",
        "encoder_decoder_solver.prototxt", "decoder.prototxt", "decoder.deploy.prototxt",
        "decoder_max_solver.prototxt", "decoder_prob_solver.prototxt")
_MARKED = re.compile(r"\d+(?=  # (words|states|features|streams|steps|rows|tests|units)\b)")
_STREAMS = re.compile(r"data/roles/buffer_\d+/(\w+)_aligned_\d+_batches")
_TESTS = re.compile(r"^test_\w+\b.*\n", re.MULTILINE)
_COMMAND = re.compile(r"(?<=--solver )prototxt/description/(?:small/)?")
_NOTE = re.compile(r"#\n# Numbers with a mark.*\n(?:# .*\n)+")


def sized(text: str, numbers: Mapping[str, int]) -> str:
    """Return a definition with other numbers at its marks; those not named stay."""
    return _MARKED.sub(lambda match: str(numbers.get(match[1], match[0])), text)


def check_nets(recipe: Recipe) -> None:
    """Refuse to replace definitions, unless the recipe allows it.

    Raises:
        DataError: one is there.
    """
    recipe.refuse_existing(*(recipe.out / name for name in NETS))


def write_nets(recipe: Recipe, size: str, slots: tuple[Slot, ...], vocabulary: Vocabulary,
               counts: Mapping[str, int]) -> None:
    """Write definitions and solvers for a data set to its folder.

    Args:
        recipe: of its streams.
        size: which of ``SIZES``.
        slots: of the roles.
        vocabulary: of the words.
        counts: split -> number of sentences; without ``val`` the solvers test nothing.

    Raises:
        DataError: a file cannot be written.
    """
    folder, _ = SIZES[size]
    numbers = {"words": len(vocabulary), "states": sum(len(slot.labels) for slot in slots),
               "streams": recipe.streams, "steps": recipe.timesteps,
               "rows": len(slots) + recipe.timesteps - 1,
               "tests": max(counts.get("val", 0) // recipe.streams, 1)}
    for name in NETS:
        copy_definition(recipe, os.path.join(folder, name), numbers, _STREAMS, "val" in counts)


def copy_definition(recipe: Recipe, path: str, numbers: Mapping[str, int],
                    streams: re.Pattern[str], is_tested: bool) -> None:
    """Write a copy of a definition or a solver to the folder of a data set.

    Args:
        recipe: of the data set.
        path: the file in the checkout.
        numbers: as for ``sized``.
        streams: finds the folders of streams in it; its group is the split.
        is_tested: whether there is a split to test on.

    Raises:
        DataError: the copy cannot be written.
    """
    text = Path(resolve(path)).read_text(encoding="utf-8")
    text = streams.sub(lambda match: recipe.folder(match[1]).as_posix(),
                       sized(_NOTE.sub("", text), numbers))
    text = _COMMAND.sub(f"{recipe.out.as_posix()}/", text)
    if not is_tested:
        text = _TESTS.sub("", text)
    with new_file(recipe.out / os.path.basename(path), DataError, "the definition") as file:
        file.write(text)
