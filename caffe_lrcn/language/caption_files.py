"""Readers of caption files: COCO JSON, Flickr token files and CSV, and sentences of videos."""
from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import rng
from ..errors import DataError
from ..paths import stays_below
from .sentence_files import is_sentence_file, read_sentences
from .text_files import brief, is_name, read_json, read_text


@dataclass(frozen=True)
class Caption:
    """One caption of one picture.

    Args:
        picture: the picture's file name as its data set gives it.
        text: the sentence as written.
        where: file and line (or annotation) it came from, for messages.
        key: how lists of splits call the picture: COCO image id, or file name.
    """

    picture: str
    text: str
    where: str
    key: str


def read_captions(form: str, path: str | Path,
                  keys: Collection[str] | None = None) -> list[Caption]:
    """Return the captions in a file, in the order of its pictures.

    Args:
        form: ``coco`` (JSON with ``images`` and ``annotations``) or ``flickr`` (lines
            ``image.jpg#k<TAB>caption``, or CSV with a heading: ``image,caption``,
            ``image_name,comment_number,comment`` or the latter with bars for commas) or ``tab``
            (lines ``video<TAB>sentence``; the video's name counts as the picture's).
        path: the caption file.
        keys: COCO image ids or Flickr file names of one split; all pictures if absent.

    Raises:
        DataError: a file that cannot be read, or a line or annotation of another form.
    """
    captions = [caption for caption in _READERS[form](path)
                if keys is None or named_by(caption.key, keys)]
    if not captions:
        raise DataError("no captions found", where=path,
                        remedy="Check --format" + (" and --ids." if keys is not None else "."))
    return captions


def read_pictures(form: str, path: str | Path,
                  keys: Collection[str] | None = None) -> dict[str, str]:
    """Return key -> file name of the pictures in a file, in its order.

    Args:
        form: as for ``read_captions``, except that a COCO file may lack ``annotations``: the
            test pictures come so (``image_info_test2014.json``).
        path, keys: as for ``read_captions``.

    Raises:
        DataError: a file that cannot be read or is of another form, or that has no such pictures.
    """
    if form == "coco":
        pictures = {str(number): name for number, name in _coco_images(_coco_data(path), path)}
    else:
        pictures = {caption.key: caption.picture for caption in _READERS[form](path)}
    found = {key: name for key, name in pictures.items() if keys is None or named_by(key, keys)}
    if not found:
        raise DataError("no pictures found", where=path,
                        remedy="Check --format" + (" and --ids." if keys is not None else "."))
    return found


def picture_path(folder: Path, name: str, where: object, anywhere: bool = False) -> Path:
    """Return the path of a picture that a caption file names.

    Args:
        folder: the folder of the pictures.
        name: the picture's name in the caption file.
        where: the place in that file.
        anywhere: let the name lead out of the folder.

    Raises:
        DataError: it does, and must not.
    """
    if not anywhere and not stays_below(name):
        raise DataError("the name of a picture leads out of the folder of pictures", where=where,
                        got=brief(name), remedy="If you trust the file, give --anywhere.")
    return folder / name


def read_references(path: str | Path) -> dict[str, list[str]]:
    """Return picture id -> captions of a COCO captions file, or video -> sentences of lines
    ``video<TAB>sentence``.

    Raises:
        DataError: a file that cannot be read or is of another form, telling the entry.
    """
    references: dict[str, list[str]] = {}
    for caption in read_captions("tab" if is_sentence_file(path) else "coco", path):
        references.setdefault(caption.key, []).append(caption.text)
    return references


def read_image_ids(path: str | Path) -> dict[str, Any]:
    """Return file name -> id of the images in a COCO file; it may lack ``annotations``.

    Raises:
        DataError: a file that cannot be read or is of another form.
    """
    return {name: number for number, name in _coco_images(_coco_data(path), path)}


def named_by(key: str, keys: Collection[str]) -> bool:
    """Tell whether a split names a picture; Flickr30k's lists leave out ``.jpg``."""
    return key in keys or key.removesuffix(".jpg") in keys


def read_keys(path: str | Path) -> set[str]:
    """Return the picture ids or file names of a split, one per line."""
    keys = {line.strip() for line in read_text(path, "names of pictures").split("\n")
            if line.strip()}
    if not keys:
        raise DataError("the list of pictures is empty", where=path)
    return keys


def split_by_picture(captions: Sequence[Caption], fraction: float,
                     seed: int) -> tuple[list[Caption], list[Caption]]:
    """Return (training, validation) captions such that no picture is in both.

    Args:
        captions: captions of any number of pictures.
        fraction: share of the pictures for validation, rounded to whole pictures.
        seed: which pictures those are.
    """
    pictures = list(dict.fromkeys(caption.picture for caption in captions))
    order = rng.generator(seed, "validation pictures").permutation(len(pictures))
    held_out = {pictures[i] for i in order[:round(fraction * len(pictures))]}
    return ([caption for caption in captions if caption.picture not in held_out],
            [caption for caption in captions if caption.picture in held_out])


def _coco_data(path: str | Path, lists: Sequence[str] = ("images",)) -> dict[str, Any]:
    wanted = "an object with " + " and ".join(f"the list '{name}'" for name in lists)
    data = read_json(path, "captions", wanted,
                     "Flickr token files and CSV need --format flickr.")
    if not isinstance(data, dict) or not all(isinstance(data.get(name), list) for name in lists):
        raise DataError("not a COCO caption file", where=path, wanted=wanted)
    return data


def _coco_images(data: dict[str, Any], path: str | Path) -> Iterator[tuple[Any, str]]:
    names: dict[Any, str] = {}
    for index, image in enumerate(data["images"]):
        where = f"{path}: images[{index}]"
        number, name = _id(image, "id", where), _field(image, "file_name", where)
        if not isinstance(name, str) or not is_name(name):
            raise DataError("'file_name' is not the name of a file", where=where, got=brief(name))
        if names.setdefault(number, name) != name:
            raise DataError("two images have this id", where=where, got=f"id {number}: {name}",
                            wanted=f"{names[number]} only")
    yield from names.items()


def _read_coco(path: str | Path) -> Iterator[Caption]:
    data = _coco_data(path, ("images", "annotations"))
    names = dict(_coco_images(data, path))
    by_image: dict[Any, list[Caption]] = {number: [] for number in names}
    for index, annotation in enumerate(data["annotations"]):
        where = f"{path}: annotations[{index}]"
        number = _id(annotation, "image_id", where)
        if number not in names:
            raise DataError("caption of an image that is not listed", where=where,
                            got=f"image_id {number}")
        text = _field(annotation, "caption", where)
        if not isinstance(text, str):
            raise DataError(f"a caption of {names[number]} is not text", where=where,
                            got=brief(text))
        by_image[number].append(Caption(names[number], text, where, str(number)))
    for captions in by_image.values():
        yield from captions


def _id(entry: Any, name: str, where: str) -> int | str:
    number = _field(entry, name, where)
    if isinstance(number, bool) or not isinstance(number, (int, str)):
        raise DataError(f"'{name}' is neither a whole number nor text", where=where,
                        got=brief(number))
    return number


def _field(entry: Any, name: str, where: str) -> Any:
    if not isinstance(entry, dict) or name not in entry:
        raise DataError(f"no '{name}'", where=where)
    return entry[name]


_TOKEN_LINE = re.compile(r"(?P<picture>.+?)#\d+\t(?P<text>.*)")
# A line of the published Flickr30k file lacks the second bar.
_BAR_LINE = re.compile(r"(?P<picture>[^|]+)\|\s*\d+\s*(?:\||\s)(?P<text>.*)")
_HEADINGS = (["image", "caption"], ["image_name", "comment_number", "comment"])


def _read_flickr(path: str | Path) -> Iterator[Caption]:
    lines = read_text(path, "captions").split("\n")
    if [name.strip() for name in lines[0].split("|")] == _HEADINGS[1]:
        rows = _line_rows(lines[1:], path, _BAR_LINE, 2, "image.jpg| k| caption")
    elif "\t" in lines[0]:
        rows = _line_rows(lines, path, _TOKEN_LINE, 1, "image.jpg#k<TAB>caption")
    else:
        rows = _csv_rows(lines, path)
    for number, picture, text in rows:
        # These files are tokenised already: their full stops follow a space, which would hide
        # the last one from the tokeniser.
        text = text.strip()
        if text.endswith("."):
            text = text[:-1].rstrip() + "."
        if not is_name(picture):
            raise DataError("this is not the name of a picture", where=f"{path}:{number}",
                            got=brief(picture))
        yield Caption(picture, text, f"{path}:{number}", picture)


def _line_rows(lines: list[str], path: str | Path, form: re.Pattern[str], first: int,
               wanted: str) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        match = form.fullmatch(line.rstrip("\r"))
        if match is None:
            raise DataError("not a caption line", where=f"{path}:{number}", got=repr(line[:60]),
                            wanted=wanted)
        yield number, match["picture"].rstrip() or match["picture"], match["text"]


def _csv_rows(lines: list[str], path: str | Path) -> Iterator[tuple[int, str, str]]:
    reader = csv.reader(line + "\n" for line in lines)
    rows = _rows(reader, path)
    heading = [name.strip() for name in next(rows, [])]
    if heading not in _HEADINGS:
        raise DataError("neither a token file nor a CSV file", where=f"{path}:1",
                        got=repr(lines[0][:60]),
                        wanted="image.jpg#k<TAB>caption, or the heading image,caption")
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(heading):
            raise DataError("not a caption row", where=f"{path}:{reader.line_num}",
                            got=f"{len(row)} columns", wanted=",".join(heading),
                            remedy="Put captions with commas in double quotes.")
        yield reader.line_num, row[0].strip(), row[-1]


def _rows(reader: Any, path: str | Path) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise DataError(f"this is not CSV: {error}",
                        where=f"{path}:{reader.line_num}") from error


def _read_tab(path: str | Path) -> Iterator[Caption]:
    for where, video, sentence in read_sentences(path):
        yield Caption(video, sentence, where, video)


_READERS = {"coco": _read_coco, "flickr": _read_flickr, "tab": _read_tab}
