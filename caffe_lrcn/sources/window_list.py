"""Lists of windows in pictures, as WindowData reads them."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from ..errors import DataError
from .listing import read_text

_ROW = 6  # class, overlap, x1, y1, x2, y2
_FORM = ("'# index', path, channels, height, width, number of windows, then that many rows of "
         "'class overlap x1 y1 x2 y2'")
_CHANNELS = 3
_INT32 = np.iinfo(np.int32)


@dataclass(frozen=True)
class Windows:
    """Windows of one kind, one row each.

    ``values``: (K, 6) int32 rows of picture, label, x1, y1, x2, y2, corners included;
    ``lines``: their line numbers, from 1.
    """

    values: np.ndarray
    lines: np.ndarray

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class WindowList:
    """Pictures in the order of the list, and their foreground and background windows."""

    file: str
    names: list[str]
    foreground: Windows
    background: Windows


def read_window_list(path: str, fg_threshold: float, bg_threshold: float) -> WindowList:
    """Read a list of blocks ``# index``, path, channels, height, width, number, windows.

    A window whose overlap reaches ``fg_threshold`` is foreground; one whose overlap is below
    ``bg_threshold`` is background, of label 0; others are dropped. White space is free.

    Raises:
        DataError: the list is missing or of another form.

    Source: Caffe window_data_layer.cpp.
    """
    words, names = _Words(path), []
    kept: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    indices: list[tuple[int, int]] = []
    while words.more():
        index, name, count, line = _read_head(words)
        names.append(name)
        indices.append((index, line))
        rows, lines = words.rows(count)
        is_fg = rows[:, 1] >= np.float32(fg_threshold)
        is_bg = ~is_fg & (rows[:, 1] < np.float32(bg_threshold))
        for which, (chosen, into) in enumerate(zip((is_bg, is_fg), kept, strict=True)):
            picked = rows[chosen][:, [0, 0, 2, 3, 4, 5]]
            picked[:, 0] = index
            if not which:
                picked[:, 1] = 0
            elif picked.size and picked[:, 1].min() < 1:
                bad = lines[chosen][np.argmin(picked[:, 1])]
                words.fail(bad, "the class of a foreground window is not positive",
                           int(picked[:, 1].min()))
            into.append(np.column_stack([picked, lines[chosen]]).astype(np.int32))
    if not names:
        raise DataError("the list names no picture", where=path, wanted=_FORM)
    _check_indices(words, indices, len(names))
    background, foreground = (_windows(parts) for parts in kept)
    return WindowList(path, names, foreground, background)


def _check_indices(words: _Words, indices: list[tuple[int, int]], count: int) -> None:
    # CAFFE-QUIRK: the index of a block is taken as a place in the list, whatever the place of
    # the block itself.
    for index, line in indices:
        if not 0 <= index < count:
            words.fail(line, "the index of the picture is not a place in the list", index,
                       f"0 to {count - 1}")


def _windows(parts: list[np.ndarray]) -> Windows:
    whole = np.concatenate(parts)
    return Windows(whole[:, :6], whole[:, 6])


def _read_head(words: _Words) -> tuple[int, str, int, int]:
    """Return index, path, number of windows and line of a block."""
    (mark, index, name, *sizes), lines = words.take(7)
    if mark != "#":
        words.fail(lines[0], "a block does not start with '#'", f"'{mark}'", _FORM)
    number = words.integer(index, lines[1], "the index of the picture")
    channels, _, _, count = (words.integer(text, line, what) for text, line, what in zip(
        sizes, lines[3:], ("channels", "the height", "the width", "the number of windows"),
        strict=True))
    if channels != _CHANNELS:
        words.fail(lines[3], "pictures are decoded to colour", f"{channels} channels", "3")
    if count < 0:
        words.fail(lines[6], "the number of windows is negative", count)
    return number, name, count, lines[1]


class _Words:
    """The words of a file with their line numbers, read a line at a time."""

    def __init__(self, path: str) -> None:
        self._path, self._lines = path, self._split(read_text(path))
        self._words: list[str] = []
        self._numbers: list[int] = []
        self._last = 1

    @staticmethod
    def _split(text: str) -> Iterator[tuple[int, list[str]]]:
        for number, line in enumerate(text.split("\n"), start=1):
            words = line.split()
            if words:
                yield number, words

    def more(self) -> bool:
        """Tell whether another word follows."""
        return self._fill(1)

    def take(self, count: int) -> tuple[list[str], list[int]]:
        """Return the next words and the line number of each."""
        if not self._fill(count):
            self.fail(self._last, "the list ends within a block", f"{len(self._words)} words",
                      f"{count} more: {_FORM}")
        words, numbers = self._words[:count], self._numbers[:count]
        self._words, self._numbers = self._words[count:], self._numbers[count:]
        return words, numbers

    def rows(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (count, 6) float64 rows and the line number of each."""
        words, numbers = self.take(_ROW * count)
        try:
            rows = np.array(words, np.float64).reshape(count, _ROW)
        except ValueError:
            for word, number in zip(words, numbers, strict=True):
                self._number(word, number)
            raise
        with np.errstate(over="ignore"):  # what is beyond them becomes infinite
            rows[:, 1] = rows[:, 1].astype(np.float32)  # overlaps meet float thresholds
        integers = np.delete(rows, 1, axis=1)
        wrong = ~((integers == np.trunc(integers)) & (np.abs(integers) <= _INT32.max))
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            place = _ROW * int(row) + (0 if column == 0 else int(column) + 1)
            self.integer(words[place], numbers[place], "a class or a corner")
        return rows, np.array(numbers[::_ROW], np.int64)

    def integer(self, text: str, line: int, what: str) -> int:
        """Return the number that a word is."""
        try:
            value = int(text)
        except ValueError:
            self.fail(line, f"{what} is not an integer", f"'{text}'", _FORM)
        if abs(value) > _INT32.max:
            self.fail(line, f"{what} is too large", value)
        return value

    def fail(self, line: int, problem: str, got: object, wanted: object = None) -> NoReturn:
        """Raise the error about a line."""
        raise DataError(problem, where=f"{self._path}:{line}", got=got, wanted=wanted)

    def _number(self, text: str, line: int) -> None:
        try:
            float(text)
        except ValueError:
            self.fail(line, "a window is made of numbers", f"'{text}'", _FORM)

    def _fill(self, count: int) -> bool:
        while len(self._words) < count:
            line = next(self._lines, None)
            if line is None:
                return False
            self._last = line[0]
            self._words += line[1]
            self._numbers += [line[0]] * len(line[1])
        return True
