"""Windows of listed pictures, with their labels."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ... import glog
from ...errors import DataError
from ...files import read_file
from ...paths import resolve
from ..picture import decode_picture, read_picture
from ..picture_file import check_is_file
from ..transform import Picture
from ..window_list import WindowList, Windows
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
                yield from [Record((blank, 0))] * (len(numbers) - item)
                return
            yield record

    def close(self) -> None:
        """Forget the files kept."""
        self._files.clear()

    def place(self, number: int) -> tuple[str, str]:
        """Return ``list:line`` of a window, and what its picture is called."""
        windows, place = self._find(number)
        where = f"{self.listed.file}:{windows.lines[place]}"
        return where, f"picture '{self._path(windows.values[place, 0])}'"

    def _find(self, number: int) -> tuple[Windows, int]:
        behind = len(self.listed.background)
        if number < behind:
            return self.listed.background, number
        return self.listed.foreground, number - behind

    def _path(self, index: int) -> str:
        return resolve(self.root_folder + self.listed.names[index], *self.beside)

    def _record(self, number: int) -> Record:
        windows, place = self._find(number)
        index, label, *corners = windows.values[place].tolist()
        pixels = self._pixels(self._path(index), number)
        return Record((Picture(pixels, window=tuple(corners)), label))

    def _pixels(self, path: str, number: int) -> np.ndarray:
        try:
            if not self.cache:
                return read_picture(path)
            if path not in self._files:
                check_is_file(path)
                self._files[path] = read_file(path)
            return decode_picture(self._files[path])
        except DataError as error:
            error.where = self.place(number)[0]
            raise
        except OSError as error:
            raise DataError(f"picture '{path}' cannot be read", where=self.place(number)[0],
                            got=error.strerror) from error
