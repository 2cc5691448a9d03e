"""Roles as JSON; ``roles`` describes the form."""
from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...errors import DataError
from ...files import new_file
from ...hints import did_you_mean, nearest
from ...language.text_files import brief, is_name, read_json
from .role_records import Roles, Slot, check_clips, check_slots, check_vectors, clip_place, unknown

_WANTED = "an object with the lists 'slots' and 'clips'"
_FILE_KEYS = ("slots", "clips", "maximum")
_SLOT_KEYS = ("name", "labels")
_CLIP_KEYS = ("id", "video", "roles", "probabilities", "sentences")
_MAXIMA = ("slot", "joint")


def read(path: str) -> Roles:
    """Return the roles in a JSON file.

    Raises:
        DataError: as ``roles.read_roles``.
    """
    data = read_json(path, "roles", _WANTED)
    if not isinstance(data, dict) or not all(isinstance(data.get(name), list)
                                             for name in ("slots", "clips")):
        raise DataError("not a file of roles", where=path, wanted=_WANTED)
    _check_keys(data, _FILE_KEYS, path)
    maximum = data.get("maximum", "slot")
    if maximum not in _MAXIMA:
        raise DataError("unknown 'maximum'", where=path, got=brief(maximum),
                        wanted=" or ".join(_MAXIMA))
    slots = tuple(read_slot(entry, f"{path}: slots[{number}]")
                  for number, entry in enumerate(data["slots"]))
    check_slots(slots, path)
    clips = data["clips"]
    for number, clip in enumerate(clips):
        _check_clip(clip, clip_place(path, number, clip.get("id") if isinstance(clip, dict)
                                     else None))
    ids = [clip["id"] for clip in clips]
    sentences = [clip.get("sentences", []) for clip in clips]
    check_clips(ids, sentences, path)
    _check_alike(clips, path)
    probabilities = _probabilities(clips, slots, path)
    roles = Roles(path, slots, ids, [clip.get("video") for clip in clips],
                  _labels(clips, slots, path, probabilities), probabilities, sentences,
                  maximum == "joint")
    check_vectors(roles)
    return roles


def write(path: str, roles: Roles) -> None:
    """Write roles as JSON, one clip a line.

    Raises:
        DataError: as ``roles.write_roles``.
    """
    check_slots(roles.slots, roles.path)
    check_clips(roles.ids, roles.sentences, roles.path)
    check_vectors(roles)
    slots = [{"name": slot.name, "labels": list(slot.labels)} for slot in roles.slots]
    with new_file(path, DataError, "the roles") as file:
        file.write('{"slots": ' + _json(slots))
        if roles.joint:
            file.write(',\n"maximum": "joint"')
        file.write(',\n"clips": [\n')
        file.write(",\n".join(_json(_clip(roles, number)) for number in range(len(roles.ids))))
        file.write("\n]}\n")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _clip(roles: Roles, number: int) -> dict[str, Any]:
    clip: dict[str, Any] = {"id": roles.ids[number]}
    if roles.videos[number] is not None:
        clip["video"] = roles.videos[number]
    names = [slot.name for slot in roles.slots]
    clip["roles"] = dict(zip(names, roles.names(number), strict=True))
    if roles.probabilities is not None:
        clip["probabilities"] = {name: roles.probabilities[number, roles.block(slot)].tolist()
                                 for slot, name in enumerate(names)}
    if roles.sentences[number]:
        clip["sentences"] = roles.sentences[number]
    return clip


def read_slot(entry: Any, where: str) -> Slot:
    """Return a slot of a JSON file.

    Raises:
        DataError: it is none.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not _is_texts(
            entry.get("labels")):
        raise DataError("not a slot", where=where, got=brief(entry),
                        wanted="an object with 'name' (text) and 'labels' (a list of texts)")
    _check_keys(entry, _SLOT_KEYS, where)
    return Slot(entry["name"], tuple(entry["labels"]))


def _check_clip(clip: Any, where: str) -> None:
    """Check what kinds of values a clip has."""
    if not isinstance(clip, dict):
        raise DataError("not a clip", where=where, got=brief(clip), wanted="an object")
    _check_keys(clip, _CLIP_KEYS, where)
    if not isinstance(clip.get("id"), str):
        raise DataError("the id of a clip must be text", where=where,
                        got=brief(clip["id"]) if "id" in clip else "none")
    video = clip.get("video")
    if video is not None and (not isinstance(video, str) or not is_name(video)):
        raise DataError("'video' is not a path", where=where, got=brief(video))
    if not _is_texts(clip.get("sentences", [])):
        raise DataError("'sentences' is not a list of texts", where=where,
                        got=brief(clip["sentences"]))
    if "roles" not in clip and "probabilities" not in clip:
        raise DataError("the roles are missing", where=where,
                        wanted="'roles' (a label for each slot), 'probabilities' (a vector for "
                               "each slot), or both")
    for name in ("roles", "probabilities"):
        if name in clip and not isinstance(clip[name], dict):
            raise DataError(f"'{name}' is not an object with a value for each slot", where=where,
                            got=brief(clip[name]))


def _check_alike(clips: Sequence[dict[str, Any]], path: str) -> None:
    """Check that all clips have the same of roles and probabilities."""
    for number, clip in enumerate(clips):
        for name in ("roles", "probabilities"):
            if (name in clip) != (name in clips[0]):
                with_it, without = (0, number) if name in clips[0] else (number, 0)
                raise DataError(f"some clips have '{name}', others do not",
                                where=clip_place(path, number, clip["id"]),
                                got=f"clips[{with_it}] with, clips[{without}] without")


def _each_slot(clip: dict[str, Any], name: str, slots: tuple[Slot, ...], where: str) -> list[Any]:
    """Return the values of a clip's slots in the order of the file's slots."""
    values, known = clip[name], tuple(slot.name for slot in slots)
    for slot in values:
        if slot not in known:
            raise unknown(f"slot in '{name}'", slot, known, where)
    for slot in known:
        if slot not in values:
            raise DataError(f"slot '{slot}' is missing in '{name}'", where=where)
    return [values[slot] for slot in known]


def _labels(clips: Sequence[dict[str, Any]], slots: tuple[Slot, ...], path: str,
            probabilities: np.ndarray | None) -> np.ndarray:
    """Return (N, K) int64 labels; without 'roles', the first maximum of each vector."""
    labels = np.zeros((len(clips), len(slots)), np.int64)
    places = [{label: place for place, label in enumerate(slot.labels)} for slot in slots]
    for number, clip in enumerate(clips):
        if "roles" not in clip:
            continue
        where = clip_place(path, number, clip["id"])
        for k, label in enumerate(_each_slot(clip, "roles", slots, where)):
            if not isinstance(label, str):
                raise DataError(f"the label of slot '{slots[k].name}' is not text", where=where,
                                got=brief(label))
            if label not in places[k]:
                raise unknown(f"label of slot '{slots[k].name}'", label, slots[k].labels, where)
            labels[number, k] = places[k][label]
    if probabilities is not None and "roles" not in clips[0]:
        start = 0
        for k, slot in enumerate(slots):
            labels[:, k] = probabilities[:, start:start + len(slot.labels)].argmax(axis=1)
            start += len(slot.labels)
    return labels


def _probabilities(clips: Sequence[dict[str, Any]], slots: tuple[Slot, ...],
                   path: str) -> np.ndarray | None:
    """Return (N, S) float64, or None if the file has none."""
    if "probabilities" not in clips[0]:
        return None
    rows = []
    for number, clip in enumerate(clips):
        where = clip_place(path, number, clip["id"])
        row: list[float] = []
        for slot, vector in zip(slots, _each_slot(clip, "probabilities", slots, where),
                                strict=True):
            if not isinstance(vector, list) or not all(
                    isinstance(value, (int, float)) and not isinstance(value, bool)
                    for value in vector):
                raise DataError(f"the vector of slot '{slot.name}' is not a list of numbers",
                                where=where, got=brief(vector))
            if len(vector) != len(slot.labels):
                raise DataError(f"the vector of slot '{slot.name}' has another length than its "
                                f"labels", where=where, got=len(vector), wanted=len(slot.labels))
            row.extend(min(max(value, -2), 2) for value in vector)  # no float holds 10 ** 400
        rows.append(row)
    return np.array(rows, np.float64)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _check_keys(entry: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in entry:
        if key not in known:
            raise DataError(f"unknown key '{key}'", where=where, wanted=", ".join(known),
                            remedy=did_you_mean(nearest(key, known)))
