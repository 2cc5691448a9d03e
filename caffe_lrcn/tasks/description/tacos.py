"""TACoS Multi-Level as a table to roles. Untried: the corpus was not at hand.

A row is a pair of clip and sentence: a CSV file, or a TSV file if its name ends in ``.tsv``, with a
heading. The corpus represents a clip by activity, tool, object, source and target, and has each
video described in three levels of detail; section 6 of the paper uses the detailed one.

Source: paper, section 6; Rohrbach et al. 2014 for slots and levels. The names of the columns are
not known to us, so they can be given.
"""
from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from ...errors import DataError, UsageError
from ...hints import did_you_mean, nearest
from ...language.text_files import read_text
from .role_records import Roles, Slot, check_clips, check_slots

#: The slots of the corpus.
SLOTS = ("activity", "tool", "object", "source", "target")
#: What columns hold -> what they are called, if the user does not say otherwise.
COLUMNS: dict[str, str] = {name: name for name in ("id", "video", "sentence", "level", *SLOTS)}
#: Label of a slot whose field is empty.
EMPTY = "none"
_OPTIONAL = ("video", "level")


def read_tacos(path: str | os.PathLike[str], columns: Mapping[str, str] | None = None,
               level: str = "detailed") -> Roles:
    """Return the clips of a table, with their labels and sentences.

    Args:
        path: the table.
        columns: names of columns that are not called as in ``COLUMNS``.
        level: rows of other levels are left out, if there is such a column.

    Raises:
        DataError: the table cannot be read, a column is missing, or two rows of a clip disagree.
        UsageError: ``columns`` names something else.
    """
    path = os.fspath(path)
    names = COLUMNS | _checked(columns or {})
    clips: dict[str, tuple[str | None, tuple[str, ...]]] = {}
    sentences: dict[str, list[str]] = {}
    for where, row in _rows(path, names):
        if names["level"] in row and row[names["level"]].strip() != level:
            continue
        name = row[names["id"]].strip()
        found = ((row.get(names["video"]) or "").strip() or None,
                 tuple(row[names[slot]].strip() or EMPTY for slot in SLOTS))
        if clips.setdefault(name, found) != found:
            raise DataError(f"clip '{name}' has other roles than in an earlier row", where=where,
                            got=", ".join(found[1]), wanted=", ".join(clips[name][1]))
        text = row[names["sentence"]].strip()
        if text:
            sentences.setdefault(name, []).append(text)
    slots = tuple(Slot(slot, _labels(roles[k] for _, roles in clips.values()))
                  for k, slot in enumerate(SLOTS))
    texts = [sentences.get(name, []) for name in clips]
    check_clips([*clips], texts, path)
    check_slots(slots, path)
    labels = [[slot.labels.index(role) for slot, role in zip(slots, roles, strict=True)]
              for _, roles in clips.values()]
    return Roles(path, slots, [*clips], [video for video, _ in clips.values()],
                 np.array(labels, np.int64), None, texts)


def _labels(found: Iterable[str]) -> tuple[str, ...]:
    """Return labels in the order of the alphabet, ``none`` first."""
    return tuple(sorted({*found}, key=lambda role: (role != EMPTY, role)))


def _rows(path: str, names: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield place and fields of the rows."""
    text = read_text(path, "clips and sentences")
    reader = csv.DictReader(io.StringIO(text), delimiter="\t" if path.lower().endswith(".tsv")
                            else ",", restkey="", strict=True)
    try:
        heading = [*(reader.fieldnames or ())]
        for what, name in names.items():
            if name not in heading and what not in _OPTIONAL:
                raise DataError(f"there is no column '{name}'", where=f"{path}:1",
                                got=", ".join(heading) or "no heading",
                                remedy=did_you_mean(nearest(name, heading))
                                or f"Name it: --columns {what}=NAME")
        for row in reader:
            where = f"{path}:{reader.line_num}"
            if None in row.values() or "" in row:
                raise DataError("the row has another number of fields than the heading",
                                where=where, wanted=len(heading))
            yield where, row
    except csv.Error as error:
        raise DataError(f"not a table: {error}", where=f"{path}:{reader.line_num}") from error


def _checked(columns: Mapping[str, str]) -> dict[str, str]:
    for what in columns:
        if what not in COLUMNS:
            raise UsageError("unknown column", got=what, wanted=", ".join(COLUMNS),
                             remedy=did_you_mean(nearest(what, COLUMNS)))
    return dict(columns)
