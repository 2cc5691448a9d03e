"""Pictures to be classified, and files of their scores."""
from __future__ import annotations

import glob
import os

import numpy as np

from ..errors import DataError, UsageError
from ..pycaffe.pictures import load_image


def load_pictures(path: str, extension: str) -> list[np.ndarray]:
    """Return the pictures (H, W, C) of a file or a folder, values from 0 to 1.

    Args:
        path: a picture; a folder; or a ``.npy`` file of pictures of one size.
        extension: ending of the pictures in a folder, which are taken by name.

    Raises:
        DataError: nothing is there, or a file is damaged.

    Source: python/classify.py.
    """
    if path.endswith(".npy"):
        try:
            pictures = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise DataError("the pictures cannot be read", where=path, got=error) from None
        if pictures.ndim != 4:
            raise DataError("these are no pictures", where=path, got=f"shape {pictures.shape}",
                            wanted="(pictures, height, width, channels)")
        return list(pictures)
    if not os.path.isdir(path):
        return [load_image(path)]
    names = sorted(glob.glob(os.path.join(glob.escape(path), f"*.{extension}")))
    if not names:
        raise DataError(f"no picture in the folder ends in .{extension}", where=path,
                        remedy="Give --ext another ending")
    return [load_image(name) for name in names]


def save_scores(path: str, scores: np.ndarray) -> None:
    """Write scores to a ``.npy`` file, whose name gets that ending if it lacks it.

    Raises:
        DataError: the file cannot be written.
    """
    try:
        np.save(path, scores)
    except OSError as error:
        raise DataError("the scores cannot be written", where=path, got=error.strerror) from None


def numbers(text: str, count: int | None = None) -> list[int] | None:
    """Return the whole numbers of a list with commas; None for an empty one.

    Args:
        count: how many there must be.

    Raises:
        UsageError: other numbers, or another number of them.
    """
    if not text:
        return None
    words = text.split(",")
    if not all(word.strip().isdecimal() for word in words) or count not in (None, len(words)):
        raise UsageError("a list of whole numbers is wanted", got=text,
                         wanted=f"{count} numbers" if count else "numbers with commas between")
    return [int(word) for word in words]
