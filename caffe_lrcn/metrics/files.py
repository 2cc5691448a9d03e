"""Files of results and of references, in the forms of COCO."""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..language.caption_files import read_captions

_FORM = '[{"image_id": 1, "caption": "..."}, ...]'


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


def read_references(path: str | Path) -> dict[str, list[str]]:
    """Return picture id -> captions of a COCO captions file.

    Raises:
        DataError: a file that cannot be read or is of another form, telling the entry.
    """
    references: dict[str, list[str]] = {}
    for caption in read_captions("coco", path):
        references.setdefault(caption.key, []).append(caption.text)
    return references


def read_results(path: str | Path, references: dict[str, list[str]]) -> Results:
    """Return the captions in a COCO results file with their references.

    Args:
        path: JSON, a list of objects with ``image_id`` and ``caption``.
        references: picture id -> captions, from ``read_references``.

    Raises:
        DataError: a file that cannot be read or is of another form; an empty caption; a picture
            that has no references, or two captions. The message tells the entry.
    """
    captions: dict[str, str] = {}
    entries: dict[str, int] = {}
    for index, entry in enumerate(_entries(path)):
        where = f"{path}: entry {index}"
        image, caption = _image(entry, where), _caption(entry, where)
        if image in entries:
            raise DataError(f"a second caption of image {image}", where=where,
                            got=repr(caption), remedy=f"The first one is entry {entries[image]}")
        if image not in references:
            raise DataError(f"a caption of image {image}, which has no references", where=where,
                            remedy="Results and references must be of the same pictures")
        captions[image], entries[image] = caption, index
    return Results(list(captions), list(captions.values()),
                   [references[image] for image in captions],
                   [image for image in references if image not in captions])


def _entries(path: str | Path) -> list[Any]:
    try:
        entries = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError("the results are not UTF-8 text", where=path, got=error) from error
    except OSError as error:
        raise DataError(f"cannot read the results: {error.strerror}", where=path) from error
    except json.JSONDecodeError as error:
        raise DataError(f"the results are not JSON: {error.msg}",
                        where=f"{path}:{error.lineno}:{error.colno}", wanted=_FORM) from error
    except RecursionError as error:
        raise DataError("the results are nested too deep", where=path, wanted=_FORM) from error
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
                        got=repr(image))
    return str(image)


def _caption(entry: dict, where: str) -> str:
    if "caption" not in entry:
        raise DataError("no 'caption'", where=where, got=", ".join(map(repr, entry)))
    caption = entry["caption"]
    if not isinstance(caption, str):
        raise DataError("'caption' is not text", where=where, got=repr(caption))
    if not caption.strip():
        raise DataError(f"the caption of image {entry['image_id']} is empty", where=where,
                        remedy="Leave the picture out: it is then counted as missing")
    return caption


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", type(None): "null"}
    return names.get(type(value), repr(value))
