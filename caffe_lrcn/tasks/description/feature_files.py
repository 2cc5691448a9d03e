"""Features of videos, in files that may be larger than the memory.

=============  ======================================================================
suffix         content
=============  ======================================================================
.h5, .hdf5     a dataset (F, W) for each video, of its name
.npy           rows (R, W); a list says of which video each row is
anything else  lines ``<video>_<frame>,<W numbers>`` (S2VT), or ``<W numbers>``
=============  ======================================================================

A video's frames are in the order of their rows. Where a file has no names, row i is the only one of
video ``vid<first + i>``, as in the mean-pooling release, or a list has the names.

Source: S2VT's framefc7_stream_text_to_hdf5_data.py, and the scripts of the mean-pooling release.
"""
from __future__ import annotations

import os
import re
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

import h5py
import numpy as np

from ...errors import DataError
from ...hdf5_files import hdf5_errors, member
from ...language.text_files import brief, read_text
from ...memory import free_memory
from ...sources.array_file import map_array
from ...sources.folder import ENDINGS
from ...sources.records.hdf5 import open_file

#: Endings of files with a dataset for each video.
HDF5 = (".h5", ".hdf5")
_WITHOUT_NAMES = ("Say which video the first row is of, as 1, 1201 and 1301 in MSVD's training, "
                  "validation and test files (--first-video), or give a list of names (--names)")
_LINE = "<video>_<frame>,<numbers>"
_CACHE = 1 << 30  # bytes of parsed lines that are kept, at most


class Features(Protocol):
    """The features of some videos.

    ``counts`` is video -> F, its number of frames (1 or more), in the order of the file; ``width``
    is W. ``read(video)`` returns (F, W) float32, and raises DataError if they are damaged.
    """

    path: str
    counts: Mapping[str, int]
    width: int

    def read(self, video: str) -> np.ndarray: ...


def open_features(path: str | os.PathLike[str], names: str | os.PathLike[str] | None = None,
                  first: int | None = None) -> Features:
    """Return the features in a file; they are read when they are asked for.

    Args:
        path: the file.
        names: of files without names, a list with a line for each row: its video, or a picture in
            the video's folder.
        first: of files without names, the number of the first row's video.

    Raises:
        DataError: a file cannot be read, or is of another form; a video has no frames.
    """
    if names is not None and first is not None:
        raise DataError("the names of the videos are given twice", where=names,
                        wanted="a list, or the number of the first video")
    suffix = Path(path).suffix.lower()
    if suffix in HDF5:
        _refuse_names(path, names, first)
        return _HDF5Features(path)
    if suffix == ".npy":
        return _ArrayFeatures(path, names, first)
    return _TextFeatures(path, names, first)


def pooled(features: Features, videos: Sequence[str]) -> np.ndarray:
    """Return the mean of the frames of each video, (V, W) float32."""
    return np.array([features.read(video).mean(axis=0) for video in videos],
                    np.float32).reshape(len(videos), features.width)


class _HDF5Features:
    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path, found = os.fspath(path), {}
        self._file = open_file(self.path)
        with hdf5_errors(path, DataError):
            self._file.visititems(lambda name, item: found.update({name: item.shape})
                                  if isinstance(item, h5py.Dataset) else None)
        if not found:
            raise DataError("no features", where=path, wanted="a dataset (F, W) for each video")
        for name, shape in found.items():
            wanted = next(iter(found.values()))[1:]
            if len(shape) != 2 or shape[1:] != wanted or not shape[1]:
                raise DataError(f"the features of video '{name}' have a wrong shape", where=path,
                                got=shape, wanted=f"(F, {', '.join(map(str, wanted)) or 'W'})")
            if not shape[0]:
                raise DataError(f"video '{name}' has no frames", where=path, got=shape)
        self.counts = {name: shape[0] for name, shape in found.items()}
        self.width = next(iter(found.values()))[1]

    def read(self, video: str) -> np.ndarray:
        with hdf5_errors(self.path, DataError):
            values = np.asarray(member(self._file, video, DataError)[:], np.float32)
        return _finite(values, self.path, video)


class _ArrayFeatures:
    def __init__(self, path: str | os.PathLike[str], names: str | os.PathLike[str] | None,
                 first: int | None) -> None:
        self.path = os.fspath(path)
        self._rows = map_array(path, "the features")
        if self._rows.ndim != 2 or not self._rows.size:
            raise DataError("the features are not rows of numbers", where=path,
                            got=self._rows.shape, wanted="(R, W)")
        self.width = self._rows.shape[1]
        self._places = _grouped(_row_names(path, len(self._rows), names, first))
        self.counts = {video: len(rows) for video, rows in self._places.items()}

    def read(self, video: str) -> np.ndarray:
        values = np.asarray(self._rows[self._places[video]], np.float32)
        return _finite(values, self.path, video)


class _TextFeatures:
    """Lines of numbers: the file is read once to find them, and again where they are needed."""

    def __init__(self, path: str | os.PathLike[str], names: str | os.PathLike[str] | None,
                 first: int | None) -> None:
        self.path, self.width = os.fspath(path), 0
        videos: list[str] = []
        self._lines: list[tuple[int, int, int]] = []  # number of the line, its place and size
        for number, place, line in _text_lines(path):
            video = _video_of(line)
            width = line.count(b",") + (video is None)
            if not self._lines:
                self.width, named = width, video is not None
            if (width, video is not None) != (self.width, named) or not width or video == "":
                raise DataError("this is not a line of features", where=f"{path}:{number}",
                                got=brief(line[:60].decode(errors="replace")),
                                wanted=f"{self.width or 'W'} numbers"
                                       + (" after <video>_<frame>" if named else ""))
            videos.append(video or "")
            self._lines.append((number, place, len(line)))
        if not self._lines:
            raise DataError("the features are empty", where=path, wanted=_LINE)
        if named:
            _refuse_names(path, names, first)
        else:
            videos = _row_names(path, len(videos), names, first)
        self._named, self._places = named, _grouped(videos)
        self.counts = {video: len(rows) for video, rows in self._places.items()}
        self._kept: OrderedDict[str, np.ndarray] = OrderedDict()
        self._room = min(_CACHE, (free_memory() or _CACHE) // 4)

    def read(self, video: str) -> np.ndarray:
        if video in self._kept:
            self._kept.move_to_end(video)
            return self._kept[video]
        with open(self.path, "rb") as file:
            values = np.array([self._parse(file, *self._lines[row])
                               for row in self._places[video]], np.float32)
        self._kept[video] = _finite(values, self.path, video)
        while len(self._kept) > 1 and sum(v.nbytes for v in self._kept.values()) > self._room:
            self._kept.popitem(last=False)
        return self._kept[video]

    def _parse(self, file: BinaryIO, number: int, place: int, size: int) -> np.ndarray:
        file.seek(place)
        line = file.read(size)
        text = line.partition(b",")[2] if self._named else line
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", DeprecationWarning)  # what is left of the text
                values = np.fromstring(text, np.float32, sep=",")
        except (ValueError, DeprecationWarning):
            values = np.empty(0)
        if len(values) != self.width:
            raise DataError("these are not numbers with commas between",
                            where=f"{self.path}:{number}", got=brief(text.decode(errors="replace")),
                            wanted=_LINE if self._named else "<numbers>")
        return values


def _text_lines(path: str | os.PathLike[str]) -> Iterator[tuple[int, int, bytes]]:
    place = 0
    try:
        with open(path, "rb") as file:
            if not file.seekable() or not os.path.isfile(path):
                raise DataError("the features cannot be read", where=path,
                                got="a pipe or a device", wanted="a file: it is read twice")
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, place, line.rstrip()
                place += len(line)
    except OSError as error:
        if isinstance(error, DataError):
            raise
        raise DataError("the features cannot be read", where=path, got=error.strerror) from error


def _video_of(line: bytes) -> str | None:
    """Return the video that a line names, up to the first underscore; None if it names none."""
    field = line.partition(b",")[0].decode(errors="replace").strip()
    if re.fullmatch(r"[-+.\deE]+|[-+]?(nan|inf)", field):
        return None
    return field.partition("_")[0]


def _row_names(path: object, rows: int, names: str | os.PathLike[str] | None,
               first: int | None) -> list[str]:
    if names is None:
        if first is None:
            raise DataError("nothing tells which videos these features are of", where=path,
                            remedy=_WITHOUT_NAMES)
        return [f"vid{first + row}" for row in range(rows)]
    found = [_folder_of(line.strip()) for line in read_text(names, "names of the rows").split("\n")
             if line.strip()]
    if len(found) != rows:
        raise DataError("there are not as many names as rows of features", where=names,
                        got=len(found), wanted=f"{rows}, as in {path}")
    return found


def _folder_of(name: str) -> str:
    """Return the video that a line of a list names: itself, or the folder of a picture."""
    return Path(name).parent.name if name.lower().endswith(ENDINGS) else name


def _grouped(videos: Sequence[str]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, video in enumerate(videos):
        rows.setdefault(video, []).append(row)
    return rows


def _refuse_names(path: object, names: object, first: object) -> None:
    if names is not None or first is not None:
        raise DataError("these features have names already", where=path,
                        remedy="Leave --names and --first-video out")


def _finite(values: np.ndarray, path: str, video: str) -> np.ndarray:
    if not np.isfinite(values).all():
        raise DataError(f"the features of video '{video}' hold NaN or infinity", where=path)
    return values
