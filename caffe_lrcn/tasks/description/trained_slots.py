"""``slots.json``: the slots that a net was trained with, beside the vocabulary of its streams.

A net knows roles by their numbers alone, and other slots give fluent nonsense.
"""
from __future__ import annotations

import json
import os
from pathlib import Path

from ...errors import DataError
from ...files import new_file
from ...language.text_files import read_json
from ...language.vocabulary import Vocabulary
from .role_records import Slot, check_slots
from .roles_json import read_slot

NAME = "slots.json"
_WANTED = "an object with 'slots' and 'vocabulary_sha256'"


def write_slots(folder: Path, slots: tuple[Slot, ...], vocabulary: Vocabulary,
                force: bool = False) -> None:
    """Write ``slots.json`` to the folder of a data set.

    Args:
        folder: the folder.
        slots: of its roles.
        vocabulary: of its sentences.
        force: replace other slots that are there.

    Raises:
        DataError: other slots are there, or the file cannot be written.
    """
    if (folder / NAME).exists() and not force and read_slots(folder / NAME, vocabulary) != slots:
        raise DataError("other slots are there, of streams in this folder", where=folder / NAME,
                        remedy="Use another --out, or --force to replace everything.")
    with new_file(folder / NAME, DataError, "the list of slots") as file:
        json.dump({"vocabulary_sha256": vocabulary.sha256,
                   "slots": [{"name": slot.name, "labels": slot.labels} for slot in slots]},
                  file, ensure_ascii=False, indent=1)


def read_slots(path: str | os.PathLike[str],
               vocabulary: Vocabulary | None = None) -> tuple[Slot, ...]:
    """Return the slots in a ``slots.json``.

    Args:
        path: the file.
        vocabulary: of the net; the file must have been written beside it. None: any.

    Raises:
        DataError: the file cannot be read, is of another form, or belongs to another vocabulary.
    """
    data = read_json(path, "slots", _WANTED)
    if not isinstance(data, dict) or not isinstance(data.get("slots"), list):
        raise DataError("not a list of slots", where=path, wanted=_WANTED)
    slots = tuple(read_slot(entry, f"{path}: slots[{number}]")
                  for number, entry in enumerate(data["slots"]))
    check_slots(slots, os.fspath(path))
    if vocabulary is not None and data.get("vocabulary_sha256") != vocabulary.sha256:
        raise DataError("these slots belong to another vocabulary", where=path,
                        wanted=f"SHA-256 {vocabulary.sha256[:12]}",
                        remedy="Name the slots.json that 'data role-streams' wrote beside the "
                               "vocabulary")
    return slots
