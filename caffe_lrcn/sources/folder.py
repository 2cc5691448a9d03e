"""Folders of pictures: which of their files are pictures, and in which order."""
from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence

from ..errors import DataError
from ..printable import printable

#: How names of pictures end, of the formats that are read (``picture_file.FORMATS``).
ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".tif", ".tiff", ".pbm",
           ".pgm", ".ppm", ".pnm", ".gif", ".webp")
_NUMBER = re.compile(r"([0-9]+)")


def expand(paths: Iterable[str]) -> list[str]:
    """Return the paths, with the pictures of each folder in its place.

    Raises:
        DataError: as ``pictures_in``.
    """
    return [picture for path in paths
            for picture in (pictures_in(path) if os.path.isdir(path) else [path])]


def pictures_in(folder: str | os.PathLike[str], endings: Sequence[str] = ENDINGS,
                remedy: str | None = None) -> list[str]:
    """Return the pictures of a folder by name, numbers by value: 2.jpg comes before 10.jpg.

    Folders in it are not entered. A line on stderr says how many pictures there are, and what is
    left out: other files, hidden files, folders.

    Args:
        folder: where to look.
        endings: how names of pictures end, in small letters; names may have capitals.
        remedy: what to do if the folder holds no picture.

    Raises:
        DataError: the folder cannot be read, or holds no picture.
    """
    try:
        with os.scandir(folder) as entries:
            isdir = {entry.name: entry.is_dir() for entry in entries}
    except OSError as error:
        raise DataError(f"the folder cannot be read: {error.strerror}", where=folder) from error
    names = sorted(isdir, key=natural_order)
    pictures = [name for name in names if not isdir[name] and not name.startswith(".")
                and name.lower().endswith(tuple(endings))]
    folders = sum(isdir.values())
    taken = {*pictures}
    others = [name for name in names if not isdir[name] and name not in taken]
    skipped = [f"{_count(len(others), 'other file')} (the first: {others[0]})"] if others else []
    skipped += [f"{_count(folders, 'folder')}, which must be named too to be read"] \
        if folders else []
    if not pictures:
        raise DataError("the folder holds no pictures", where=folder,
                        got=" and ".join(skipped) or "an empty folder",
                        wanted=f"names that end in {', '.join(endings)}", remedy=remedy)
    left_out = f"; skipped {' and '.join(skipped)}" if skipped else ""
    print(printable(f"{os.fspath(folder)}: {_count(len(pictures), 'picture')}{left_out}"),
          file=sys.stderr)
    return [os.path.join(folder, name) for name in pictures]


def natural_order(name: str) -> tuple[list[int | str], str]:
    """Return a key that sorts names by letters without case, and numbers in them by value."""
    parts = _NUMBER.split(name.lower())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
