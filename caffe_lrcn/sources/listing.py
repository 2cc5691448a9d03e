"""Text files that list data files: names alone (HDF5Data), or names and labels (ImageData)."""
from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from .. import glog
from ..errors import DataError
from ..proto.file_kinds import HDF5_SIGNATURE

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_DIGITS = 20  # of a label; longer texts are none, and slow to read as a number
_INT32 = np.iinfo(np.int32)


def read_file_list(path: str) -> list[str]:
    """Return the names in a list file, which white space separates.

    Raises:
        DataError: the list is missing, empty, or no text.

    Source: Caffe hdf5_data_layer.cpp.
    """
    names = read_text(path).split()
    if not names:
        raise DataError("the list names no file", where=path,
                        remedy="Write one HDF5 file name per line.")
    return names


def line_of(path: str, index: int) -> int:
    """Return the line number, from 1, of a name in a list that ``read_file_list`` reads."""
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        index -= len(line.split())
        if index < 0:
            return number
    raise IndexError("the list has fewer names")


@dataclass(frozen=True)
class PictureList:
    """Pictures in the order of their list: names, integer labels, line numbers from 1."""

    file: str
    names: list[str]
    labels: np.ndarray
    lines: np.ndarray

    def __len__(self) -> int:
        return len(self.names)


def read_picture_list(path: str, item: str = "picture", example: str = "a.jpg 3") -> PictureList:
    """Read a list of ``picture label`` lines; blank lines are skipped with a warning.

    The label is what follows the last space of the line, so names may contain spaces.

    Args:
        path: the list.
        item: what it names, for errors.
        example: a line of it, likewise.

    Raises:
        DataError: the list is missing, empty, or no text, or a line has no integer as its label.

    Source: Caffe image_data_layer.cpp.
    """
    names, labels, lines, blank = [], [], [], 0
    wrong: list[tuple[int, str]] = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        line = line.rstrip()
        if not line:
            blank += 1
            continue
        name, space, text = line.rpartition(" ")
        label = parse_label(text) if space else None
        if label is None:
            wrong.append((number, line))
            continue
        names.append(name)
        labels.append(label)
        lines.append(number)
    if wrong:
        raise _no_label(path, wrong, example)
    if not names:
        raise DataError(f"the list names no {item}", where=path,
                        remedy=f"Write one line per {item}: its name, a space, its label.")
    blank -= 1  # what follows the last newline is not a line
    if blank > 0:
        glog.warning("%s: skipped %d blank line%s", path, blank, "s" if blank > 1 else "")
    return PictureList(path, names, np.array(labels, np.int32), np.array(lines, np.int64))


def parse_label(text: str) -> int | None:
    """Return the integer that a text is; None if it is something else, or beyond 32 bits.

    Caffe takes the digits that a text starts with (``3x`` is 3), and ``cat`` for 0.
    """
    label = int(text) if _INTEGER.fullmatch(text) and len(text) <= _DIGITS else None
    return label if label is not None and _INT32.min <= label <= _INT32.max else None


def _no_label(path: str, wrong: list[tuple[int, str]], example: str) -> DataError:
    number, line = wrong[0]
    more = f", and {len(wrong) - 1} more lines have none" if len(wrong) > 1 else ""
    return DataError(f"this line has no integer as its label{more}", where=f"{path}:{number}",
                     got=repr(line), wanted=f"name, space, label: '{example}'",
                     remedy="Separate name and label by a space, not a tab." if "\t" in line else
                     "Number the classes from 0. Without labels, write 0 behind every name.")


def read_text(path: str) -> str:
    """Return the content of a text file.

    Raises:
        DataError: the file is missing or no text.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(4096)
            # Not read on: a data file given by mistake may be large.
            content = head if b"\0" in head else head + file.read()
    except IsADirectoryError:
        raise DataError("this is a folder, not a list of files", where=path,
                        remedy="Name the text file in it that lists the data") from None
    except OSError as error:
        raise DataError("cannot read the list file", where=path, got=error.strerror,
                        remedy="Paths count from the working directory, then from the folder "
                               "of the file that names them.") from None
    if head.startswith(HDF5_SIGNATURE):
        raise DataError("this is an HDF5 file, not a list of files", where=path,
                        remedy="Name it in a text file and give that one as source.")
    if b"\0" in head:
        raise DataError("the list is not a text file", where=path)
    return content.decode("utf-8-sig", errors="surrogateescape")
