"""Windows of pictures, drawn at random and warped to one size."""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .. import glog
from ..errors import DataError
from ..paths import resolve
from .base import Allocate, Batch, Cursor, Random, Shape
from .picture import decode_picture, read_picture
from .resize import resize
from .window_list import WindowList

_CHANNELS = 3


@dataclass(frozen=True)
class Warp:
    """How a window becomes a square.

    Args:
        crop_size: side of the square, in pixels.
        context_pad: pixels of the square, on each side, that show what is around the window.
        square: cut squares of the window's larger side, instead of warping it.
    """

    crop_size: int
    context_pad: int = 0
    square: bool = False

    def cut(self, image: np.ndarray, corners: tuple[int, int, int, int],
            flip: bool) -> tuple[np.ndarray, int, int]:
        """Return the pixels of a window, and the row and column of the square they go to.

        What lies outside of the picture leaves a part of the square uncovered.

        Args:
            image: (H, W, C) uint8.
            corners: x1, y1, x2, y2, included.
            flip: mirror left-right.

        Raises:
            DataError: the window is empty, or lies outside of the picture.

        Source: Caffe window_data_layer.cpp.
        """
        size, place = [self.crop_size] * 2, [0, 0]
        first, last = [corners[1], corners[0]], [corners[3], corners[2]]
        empty = first[0] > last[0] or first[1] > last[1]
        if (self.context_pad or self.square) and not empty:
            first, last = self._widened(first, last)
            for axis in range(2):
                first[axis], last[axis], size[axis], place[axis] = self._clipped(
                    first[axis], last[axis], image.shape[axis], flip and axis == 1)
        if not all(0 <= first[axis] <= last[axis] < image.shape[axis] for axis in range(2)):
            raise DataError("a window is empty or lies outside of its picture",
                            got="x1 {} y1 {} x2 {} y2 {}".format(*corners),
                            wanted=f"within {image.shape[1]} x {image.shape[0]}")
        patch = image[first[0]:last[0] + 1, first[1]:last[1] + 1]
        if min(size) < 1:  # a sliver that rounds to nothing
            return patch[:0], 0, 0
        patch = resize(patch, *size)
        return patch[:, ::-1] if flip else patch, place[0], place[1]

    def _widened(self, first: list[int], last: list[int]) -> tuple[list[int], list[int]]:
        """Add the context around a window, in single precision as the original."""
        single = np.float32
        scale = single(self.crop_size) / single(self.crop_size - 2 * self.context_pad)
        half = [single(end - start + 1) / single(2)
                for start, end in zip(first, last, strict=True)]
        centre = [single(start) + each for start, each in zip(first, half, strict=True)]
        if self.square:
            half = [max(half)] * 2
        pairs = list(zip(centre, half, strict=True))
        return ([_round(middle - each * scale) for middle, each in pairs],
                [_round(middle + each * scale) for middle, each in pairs])

    def _clipped(self, first: int, last: int, limit: int,
                 flip: bool) -> tuple[int, int, int, int]:
        """Clip one axis of a window to the picture; return the ends, the size, the place."""
        scale = np.float32(self.crop_size) / np.float32(last - first + 1)
        before, after = max(0, -first), max(0, last - limit + 1)
        first, last = first + before, last - after
        place = _round(np.float32(after if flip else before) * scale)
        size = _round(np.float32(last - first + 1) * scale)
        return first, last, min(size, self.crop_size - place), place


@dataclass(frozen=True)
class WindowSpec:
    """Windows to read; batch ``batch`` draws its own, with replacement.

    Args:
        windows: pictures and their windows.
        foreground: how many of a batch are foreground; they come last.
        mean: None; (3,) values; or a (3, H, W) picture.
        beside: files in whose folders relative names are looked for, after the working folder.
        cache: keep the files of pictures in memory.
        skip_rest: leave the rest of a batch zero where a picture cannot be read.
    """

    windows: WindowList
    batch_size: int
    foreground: int
    warp: Warp
    random: Random
    scale: float = 1.0
    mirror: bool = False
    mean: np.ndarray | None = None
    root_folder: str = ""
    beside: tuple[str | None, ...] = ()
    cache: bool = False
    skip_rest: bool = False
    dtype: str = "float32"

    def open(self) -> WindowSource:
        """Return a source over these windows."""
        return WindowSource(self)

    def start_cursor(self) -> Cursor:
        """Return the cursor of the first batch."""
        return {"batch": 0}

    def next_cursor(self, cursor: Cursor) -> Cursor:
        """Return the cursor one batch further."""
        return {"batch": cursor["batch"] + 1}


class WindowSource:
    """Reads batches of windows: background first, then foreground."""

    def __init__(self, spec: WindowSpec) -> None:
        self.spec = spec
        self._files: dict[str, bytes] = {}

    def shapes(self) -> list[Shape]:
        """Return the shapes of the squares and their labels."""
        batch, side = self.spec.batch_size, self.spec.warp.crop_size
        return [(batch, _CHANNELS, side, side), (batch,)]

    def batch(self, cursor: Cursor, allocate: Allocate | None = None) -> Batch:
        """Draw the windows of a batch: (N, 3, side, side) values and (N,) labels.

        Raises:
            DataError: a picture is missing or damaged, or a window lies outside of it.
        """
        spec = self.spec
        arrays = [allocate(shape) if allocate else np.empty(shape, spec.dtype)
                  for shape in self.shapes()]
        for array in arrays:
            array.fill(0)
        for item in range(spec.batch_size):
            rng = spec.random.generator("window", cursor["batch"], item)
            try:
                arrays[1][item] = self._place(item, rng, arrays[0][item])
            except _Unreadable as unreadable:
                if not spec.skip_rest:
                    raise unreadable.error from unreadable
                glog.error("%s", unreadable.error)
                break
        return Batch(arrays, spec.next_cursor(cursor))

    def close(self) -> None:
        """Forget the files kept."""
        self._files.clear()

    def _place(self, item: int, rng: np.random.Generator, out: np.ndarray) -> int:
        """Draw a window, write it to a (3, side, side) array, return its label."""
        spec, lists = self.spec, self.spec.windows
        background = item < spec.batch_size - spec.foreground
        windows = lists.background if background else lists.foreground
        number = int(rng.integers(len(windows)))
        flip = bool(spec.mirror and rng.integers(2))
        index, label, *corners = windows.values[number].tolist()
        where = f"{lists.file}:{windows.lines[number]}"
        name = resolve(spec.root_folder + lists.names[index], *spec.beside)
        image = self._read(name, where)
        try:
            patch, y, x = spec.warp.cut(image, corners, flip)
        except DataError as error:
            error.where, error.message = where, f"picture '{name}': {error.message}"
            raise
        height, width = patch.shape[:2]
        part = out[:, y:y + height, x:x + width]
        part[...] = patch.transpose(2, 0, 1)
        if spec.mean is not None:
            part -= self._mean(y, x, height, width)
        part *= part.dtype.type(spec.scale)
        return label

    def _mean(self, y: int, x: int, height: int, width: int) -> np.ndarray:
        mean = self.spec.mean
        assert mean is not None
        if mean.ndim == 1:
            return mean[:, None, None]
        # CAFFE-QUIRK: the width alone tells where the centre of the mean picture is.
        offset = (mean.shape[2] - self.spec.warp.crop_size) // 2
        return mean[:, offset + y:offset + y + height, offset + x:offset + x + width]

    def _read(self, name: str, where: str) -> np.ndarray:
        try:
            if not self.spec.cache:
                return read_picture(name)
            if name not in self._files:
                with open(name, "rb") as file:
                    self._files[name] = file.read()
            return decode_picture(self._files[name])
        except DataError as error:
            error.where = where
            raise _Unreadable(error) from error
        except OSError as error:
            raise _Unreadable(DataError(f"picture '{name}' cannot be read", where=where,
                                        got=error.strerror)) from error


class _Unreadable(Exception):
    """A picture cannot be read; ``error`` says why."""

    def __init__(self, error: DataError) -> None:
        self.error = error
        super().__init__(str(error))


def _round(value: np.float32) -> int:
    """Round half away from zero, as C does."""
    return int(math.copysign(math.floor(abs(float(value)) + 0.5), value))
