"""Windows of listed pictures, with their labels."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ... import glog
from ...errors import DataError
from ...paths import resolve
from ..picture import decode_picture, read_picture
from ..transform import Picture
from ..window_list import WindowList
from .base import Record

_CHANNELS = 3


@dataclass(frozen=True)
class WindowRecords:
    """Background windows of a list come first, foreground windows after them.

    Args:
        listed: pictures and their windows.
        root_folder: written before every name as it is.
        beside: files in whose folders relative names are looked for, after the working folder.
        cache: keep the files of pictures in memory.
        skip_rest: give windows of zeros for the rest of a batch where a picture cannot be read.
    """

    listed: WindowList
    root_folder: str = ""
    beside: tuple[str | None, ...] = ()
    cache: bool = False
    skip_rest: bool = False
    _files: dict[str, bytes] = field(default_factory=dict)

    pictures = (True, False)

    @property
    def count(self) -> int:
        """How many windows there are."""
        return len(self.listed.background) + len(self.listed.foreground)

    def read(self, numbers: np.ndarray) -> Iterator[Record]:
        """Yield pictures with their windows, and labels.

        Raises:
            DataError: a picture is missing or damaged.
        """
        for item, number in enumerate(numbers.tolist()):
            try:
                record = self._record(number)
            except DataError as error:
                if not self.skip_rest:
                    raise
                # CAFFE-QUIRK: the reference stops at a picture that it cannot read.
                glog.error("%s", error)
                blank = Picture(np.empty((0, 0, _CHANNELS), np.uint8))
                yield from [Record((blank, 0), self.listed.file)] * (len(numbers) - item)
                return
            yield record

    def close(self) -> None:
        """Forget the files kept."""
        self._files.clear()

    def _record(self, number: int) -> Record:
        windows, behind = self.listed.background, len(self.listed.background)
        if number >= behind:
            windows, number = self.listed.foreground, number - behind
        index, label, *corners = windows.values[number].tolist()
        where = f"{self.listed.file}:{windows.lines[number]}"
        name = resolve(self.root_folder + self.listed.names[index], *self.beside)
        return Record((Picture(self._pixels(name, where), window=tuple(corners)), label), where,
                      f"picture '{name}'")

    def _pixels(self, name: str, where: str) -> np.ndarray:
        try:
            if not self.cache:
                return read_picture(name)
            if name not in self._files:
                with open(name, "rb") as file:
                    self._files[name] = file.read()
            return decode_picture(self._files[name])
        except DataError as error:
            error.where = where
            raise
        except OSError as error:
            raise DataError(f"picture '{name}' cannot be read", where=where,
                            got=error.strerror) from error
