"""COCO's results files: captions of a data set's pictures, written and read."""
from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError, UsageError
from ..files import new_file
from ..printable import printable
from .caption_files import read_image_ids
from .sentence_files import is_sentence_file, read_predictions
from .text_files import brief, read_json

_FORM = '[{"image_id": 1, "caption": "..."}, ...]'
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Results:
    """Captions and the references to hold them against.

    Args:
        images: ids of the pictures, in the order of the results.
        candidates: one caption per picture.
        references: per picture its reference captions.
        missing: ids of pictures that have references but no result.
    """

    images: list[str]
    candidates: list[str]
    references: list[list[str]]
    missing: list[str]


def image_ids(pictures: Sequence[str], references: str | os.PathLike[str] | None = None,
              ) -> list[int | str]:
    """Return the COCO image id of each picture.

    Args:
        pictures: paths or names.
        references: a COCO captions file whose ``images`` give the ids of file names. Without it
            an id is the last number in the file name: 42 in ``COCO_val2014_000000000042.jpg``.
            If a name holds no number, or two hold the same, all ids are the file names; if two of
            these are equal, the paths.

    Raises:
        DataError: the references cannot be read.
        UsageError: a picture that the references do not list, or two with the same id.
    """
    if references is None:
        found = _ids_by_name(pictures)
    else:
        known = read_image_ids(references)
        found = [_known_id(picture, known, references) for picture in pictures]
    ids: dict[int | str, str] = {}
    for picture, number in zip(pictures, found, strict=True):
        if number in ids:
            raise UsageError("two pictures have the same image id", where=references,
                             got=f"{ids[number]} and {picture}: {number}",
                             remedy="Caption each picture once.")
        ids[number] = picture
    return list(ids)


def write_results(path: str | os.PathLike[str], ids: Sequence[int | str],
                  captions: Sequence[str]) -> None:
    """Write ``[{"image_id": …, "caption": …}, …]``.

    Raises:
        DataError: the file cannot be written.
    """
    entries = [{"image_id": number, "caption": caption}
               for number, caption in zip(ids, captions, strict=True)]
    with new_file(path, DataError, "the results") as file:
        file.write(json.dumps(entries, ensure_ascii=False, indent=0) + "\n")


def tell_names(path: str | os.PathLike[str], ids: Sequence[int | str], flag: str) -> None:
    """Say on stderr if the ids in ``path`` are names, and which flag gives others."""
    if any(isinstance(number, str) for number in ids):
        print(f"note: {printable(os.fspath(path))}: each image_id is a file name, since the "
              f"numbers in the names do not tell all pictures apart; {flag} gives other ids",
              file=sys.stderr)


def read_results(path: str | Path, references: dict[str, list[str]]) -> Results:
    """Return the captions in a results file with their references.

    Args:
        path: COCO's JSON, a list of objects with ``image_id`` and ``caption``; or lines of which
            the last two of the fields between tabs are a video and a sentence.
        references: picture id -> captions, from ``read_references``.

    Raises:
        DataError: a file that cannot be read or is of another form; an empty caption; a picture
            that has no references, or two captions. The message tells the entry.
    """
    captions: dict[str, str] = {}
    for where, image, caption in _captions(path):
        if not caption.strip():
            raise DataError(f"the caption of image {image} is empty", where=where,
                            remedy="Leave the picture out: it is then counted as missing")
        if image not in references:
            raise DataError(f"a caption of image {image}, which has no references", where=where,
                            remedy="Results and references must be of the same pictures")
        captions[image] = caption
    return Results(list(captions), list(captions.values()),
                   [references[image] for image in captions],
                   [image for image in references if image not in captions])


def read_result_captions(path: str | Path) -> dict[str, str]:
    """Return picture id -> caption of a COCO results file.

    Raises:
        DataError: as for ``read_results``, without references.
    """
    return {image: caption for _, image, caption in _captions(path)}


def _captions(path: str | Path) -> Iterator[tuple[str, str, str]]:
    """Yield place, picture id and caption of each entry."""
    return read_predictions(path) if is_sentence_file(path) else _read_coco(path)


def _read_coco(path: str | Path) -> Iterator[tuple[str, str, str]]:
    """Yield place, image and caption of each entry."""
    entries: dict[str, int] = {}
    for index, entry in enumerate(_entries(path)):
        where = f"{path}: entry {index}"
        image, caption = _image(entry, where), _caption(entry, where)
        if image in entries:
            raise DataError(f"a second caption of image {image}", where=where,
                            got=repr(caption), remedy=f"The first one is entry {entries[image]}")
        entries[image] = index
        yield where, image, caption


def _ids_by_name(pictures: Sequence[str]) -> Sequence[int | str]:
    names = [os.path.basename(picture) for picture in pictures]
    numbers = [int(found[-1]) for found in (_DIGITS.findall(os.path.splitext(name)[0])
                                            for name in names) if found]
    if len({*numbers}) == len(pictures):
        return numbers
    return names if len({*names}) == len(names) else pictures


def _known_id(picture: str, known: dict[str, Any],
              references: str | os.PathLike[str]) -> int | str:
    found = known.get(picture, known.get(os.path.basename(picture)))
    if found is None:
        raise UsageError("the references do not list a picture", where=references, got=picture)
    return found


def _entries(path: str | Path) -> list[Any]:
    entries = read_json(path, "results", _FORM)
    if not isinstance(entries, list):
        raise DataError("not a file of results", where=path, got=_kind(entries), wanted=_FORM)
    if not entries:
        raise DataError("the file of results is empty", where=path, wanted=_FORM)
    return entries


def _image(entry: Any, where: str) -> str:
    if not isinstance(entry, dict):
        raise DataError("not a result", where=where, got=_kind(entry),
                        wanted="an object with 'image_id' and 'caption'")
    if "image_id" not in entry:
        raise DataError("no 'image_id'", where=where, got=", ".join(map(repr, entry)) or "nothing")
    image = entry["image_id"]
    if isinstance(image, bool) or not isinstance(image, (int, str)):
        raise DataError("'image_id' is neither a whole number nor text", where=where,
                        got=brief(image))
    return str(image)


def _caption(entry: dict, where: str) -> str:
    if "caption" not in entry:
        raise DataError("no 'caption'", where=where, got=", ".join(map(repr, entry)))
    caption = entry["caption"]
    if not isinstance(caption, str):
        raise DataError("'caption' is not text", where=where, got=brief(caption))
    return caption


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", type(None): "null"}
    return names.get(type(value), repr(value))
