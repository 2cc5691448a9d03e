"""Captions of a data set's pictures as COCO's results file."""
from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import DataError, UsageError
from ..files import new_file

_DIGITS = re.compile(r"\d+")


def image_ids(pictures: Sequence[str], references: str | os.PathLike[str] | None = None,
              ) -> list[int | str]:
    """Return the COCO image id of each picture.

    Args:
        pictures: paths or names.
        references: a COCO captions file whose ``images`` give the ids of file names. Without it
            an id is the last number in the file name: 42 in ``COCO_val2014_000000000042.jpg``.

    Raises:
        DataError: the references cannot be read.
        UsageError: a picture without id, or two with the same.
    """
    known = None if references is None else _read_ids(references)
    ids: dict[int | str, str] = {}
    for picture in pictures:
        number = _id_of(picture, known, references)
        if number in ids:
            raise UsageError("two pictures have the same image id", where=references,
                             got=f"{ids[number]} and {picture}: {number}",
                             remedy="Name the pictures' captions file with --references."
                             if references is None else "Caption each picture once.")
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


def _id_of(picture: str, known: dict[str, Any] | None,
           references: str | os.PathLike[str] | None) -> int | str:
    name = os.path.basename(picture)
    if known is not None:
        found = known.get(picture, known.get(name))
        if found is None:
            raise UsageError("the references do not list a picture", where=references, got=picture)
        return found
    numbers = _DIGITS.findall(os.path.splitext(name)[0])
    if not numbers:
        raise UsageError("a picture's name holds no number to serve as image id", got=picture,
                         remedy="Name the pictures' captions file with --references.")
    return int(numbers[-1])


def _read_ids(path: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        images = json.loads(Path(path).read_text(encoding="utf-8-sig"))["images"]
        return {image["file_name"]: image["id"] for image in images}
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read the references: {error}", where=path) from error
    except (KeyError, TypeError) as error:
        raise DataError("not a COCO captions file", where=path, got=f"no {error}",
                        wanted="'images' with 'id' and 'file_name'") from error
