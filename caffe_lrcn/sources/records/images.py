"""Pictures of a list with their labels, decoded and resized."""
from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from ...errors import DataError
from ...paths import resolve
from ..listing import PictureList
from ..preprocessing import Preprocessing
from ..transform import Picture
from .base import Record

TAB_REMEDY = "Separate name and label by a space, not a tab."


@dataclass(frozen=True)
class ImageRecords:
    """Record ``k`` is the picture and the label of entry ``k``.

    Args:
        listed: names, labels and line numbers.
        root_folder: written before every name as it is.
        beside: files in whose folders relative names are looked for, after the working folder.
        preprocessing: how pictures are decoded and resized; its transform comes later.
    """

    listed: PictureList
    root_folder: str = ""
    beside: tuple[str | None, ...] = ()
    preprocessing: Preprocessing = field(default_factory=Preprocessing)

    pictures = (True, False)

    @property
    def count(self) -> int:
        """How many entries there are."""
        return len(self.listed)

    def read(self, numbers: np.ndarray) -> Iterator[Record]:
        """Yield pictures and labels.

        Raises:
            DataError: a picture is missing or damaged.
        """
        for entry in numbers.tolist():
            picture = Picture(self._load(entry), encoded=True)
            yield Record((picture, self.listed.labels[entry]))

    def close(self) -> None:
        """Nothing stays open."""

    def missing(self) -> list[int]:
        """Return the entries whose files do not exist; each folder is looked into once."""
        found: dict[str, set[str]] = {}
        entries = []
        for entry, name in enumerate(self.listed.names):
            folder, file = os.path.split(self.root_folder + name)
            if folder not in found:
                found[folder] = self._files_in(folder)
            # Names may differ in case or in the form of their accents where that does not matter.
            if file not in found[folder] and not os.path.exists(self.path(entry)):
                entries.append(entry)
        return entries

    def path(self, entry: int) -> str:
        """Return where the picture of an entry is."""
        return resolve(self.root_folder + self.listed.names[entry], *self.beside)

    def place(self, number: int) -> tuple[str, str]:
        """Return ``list:line`` of an entry, and what its picture is called."""
        where = f"{self.listed.file}:{self.listed.lines[number]}"
        return where, f"picture '{self.path(number)}'"

    def _files_in(self, folder: str) -> set[str]:
        files: set[str] = set()
        for base in (".", *(os.path.dirname(file) for file in self.beside if file is not None)):
            with suppress(OSError):
                files.update(os.listdir(os.path.join(base, folder)))
        return files

    def _load(self, entry: int) -> np.ndarray:
        """Decode and resize a picture to (H, W, C)."""
        try:
            return self.preprocessing.load(self.path(entry))
        except DataError as error:
            error.where = self.place(entry)[0]
            if "\t" in self.listed.names[entry]:
                error.remedy = TAB_REMEDY
            raise
