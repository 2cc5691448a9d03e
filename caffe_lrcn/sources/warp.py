"""Windows of pictures, warped to squares of one size."""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from .base import Shape
from .resize import resize
from .transform import Picture


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
class WindowTransform:
    """Warps the windows of pictures to squares: ``value = (pixel - mean) * scale``.

    What lies outside of the picture is 0.

    Args:
        warp: how a window becomes a square.
        scale: factor after subtracting the mean.
        mirror: flip left-right with probability 1/2.
        mean: None; (1,) or (3,) values; or a (3, H, W) picture.
    """

    warp: Warp
    scale: float = 1.0
    mirror: bool = False
    mean: np.ndarray | None = None

    @property
    def draws(self) -> bool:
        """Whether the result depends on random numbers."""
        return self.mirror

    def shape(self, image_shape: Shape) -> Shape:
        """Return the (C, H, W) of the square, whatever the picture's shape."""
        return image_shape[2], self.warp.crop_size, self.warp.crop_size

    def apply(self, picture: Picture, rng: np.random.Generator | None, out: np.ndarray) -> None:
        """Write the window of a picture to ``out``, (C, side, side); no window: zeros.

        Raises:
            DataError: the window is empty, or lies outside of the picture.
        """
        out.fill(0)
        if picture.window is None:
            return
        flip = bool(self.mirror and rng is not None and rng.integers(2))
        patch, y, x = self.warp.cut(picture.pixels, picture.window, flip)
        height, width = patch.shape[:2]
        part = out[:, y:y + height, x:x + width]
        part[...] = patch.transpose(2, 0, 1)
        if self.mean is not None:
            part -= self._mean(self.mean, y, x, height, width)
        part *= part.dtype.type(self.scale)

    def _mean(self, mean: np.ndarray, y: int, x: int, height: int, width: int) -> np.ndarray:
        if mean.ndim == 1:
            return mean[:, None, None]
        # CAFFE-QUIRK: the width alone tells where the centre of the mean picture is.
        offset = (mean.shape[2] - self.warp.crop_size) // 2
        return mean[:, offset + y:offset + y + height, offset + x:offset + x + width]


def _round(value: np.float32) -> int:
    """Round half away from zero, as C does."""
    return int(math.copysign(math.floor(abs(float(value)) + 0.5), value))
