"""What a picture file goes through on its way into a net, in training and after it."""
from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np

from .picture import read_picture
from .resize import enlarged_size, resize
from .transform import Picture, Transform


@dataclass(frozen=True)
class Preprocessing:
    """Decode, enlarge, resize, then crop, mirror, subtract the mean and scale.

    Args:
        transform: crop, mirror, mean, scale.
        new_size: (height, width) to resize to, or None.
        min_size: smallest (height, width), reached by enlarging, or None.
        color: whether pictures become blue, green, red; else grey.
    """

    transform: Transform = field(default_factory=Transform)
    new_size: tuple[int, int] | None = None
    min_size: tuple[int, int] | None = None
    color: bool = True

    def load(self, path: str | os.PathLike[str]) -> np.ndarray:
        """Return a picture before ``transform``, (H, W, C) uint8.

        Raises:
            DataError: it is missing or damaged.
        """
        return self._sized(read_picture(os.fspath(path), self.color))

    def _sized(self, image: np.ndarray) -> np.ndarray:
        if self.min_size:
            image = resize(image, *enlarged_size(image.shape[:2], self.min_size))
        return resize(image, *self.new_size) if self.new_size else image

    def __call__(self, picture: str | os.PathLike[str] | np.ndarray) -> np.ndarray:
        """Return a picture as a net takes it, (C, H, W) float32: its centre, not mirrored.

        Args:
            picture: a file, or a picture (H, W, C) uint8 that was decoded already, such as a
                frame of a video.

        Raises:
            DataError: it is missing or damaged, smaller than the crop, or does not fit the mean.
        """
        image = self._sized(picture) if isinstance(picture, np.ndarray) else self.load(picture)
        values = np.empty(self.transform.shape(image.shape), np.float32)
        self.transform.apply(Picture(image, encoded=True), None, values)
        return values

    def shape(self) -> tuple[int, int, int] | None:
        """Return the (C, H, W) of every picture; None if it depends on the picture.

        Raises:
            DataError: pictures are resized to less than the crop, or to another size than the
                mean has.
        """
        channels, crop = 3 if self.color else 1, self.transform.crop_size
        if self.new_size:
            return self.transform.shape((*self.new_size, channels))
        return (channels, crop, crop) if crop else None
