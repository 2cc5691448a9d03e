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
from .role_records import Roles, Slot, check_slots
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


def check_same_slots(roles: Roles, slots: tuple[Slot, ...], where: str) -> None:
    """See that roles have these slots, with the same labels in the same order.

    Args:
        roles: what is to be described, or learnt.
        slots: those that are wanted.
        where: the file that they are from.

    Raises:
        DataError: they differ.
    """
    if roles.slots == slots:
        return
    remedy = f"The slots and their labels must be those of {where}, in the same order."
    names, wanted = ([slot.name for slot in item] for item in (roles.slots, slots))
    if names != wanted:
        raise DataError("the roles have other slots", where=roles.path, got=", ".join(names),
                        wanted=", ".join(wanted), remedy=remedy)
    slot, other = next((slot, other) for slot, other in zip(roles.slots, slots, strict=True)
                       if slot != other)
    place = next((i for i, (a, b) in enumerate(zip(slot.labels, other.labels, strict=False))
                  if a != b), min(len(slot.labels), len(other.labels)))
    got, expected = (repr(item.labels[place]) if place < len(item.labels) else "the end"
                     for item in (slot, other))
    raise DataError(f"slot '{slot.name}' has other labels", where=roles.path,
                    got=f"{len(slot.labels)} labels, {got} as label {place}",
                    wanted=f"{len(other.labels)} labels, {expected} as label {place}",
                    remedy=remedy)
