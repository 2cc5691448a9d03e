"""Transforms of pictures that are stored as rows of numbers."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .base import Random, Shape
from .transform import Transform

_PICTURE_AXES = 3


@dataclass(frozen=True)
class RowTransform:
    """A transform of the rows that are pictures, of axes (C, H, W).

    All pictures of one record are mirrored and cropped alike; ``random`` names the draws.
    """

    transform: Transform
    random: Random

    def is_kept(self, row_shape: Shape) -> bool:
        """Tell whether rows of this shape stay as they are."""
        return len(row_shape) != _PICTURE_AXES

    def shape(self, row_shape: Shape) -> Shape:
        """Return the shape that a row comes out with.

        Raises:
            DataError: the picture is smaller than the crop, or does not fit the mean.
        """
        if self.is_kept(row_shape):
            return row_shape
        channels, height, width = row_shape
        return self.transform.shape((height, width, channels))

    def apply(self, rows: np.ndarray, record: int, out: np.ndarray) -> None:
        """Transform (n, C, H, W) rows, the first of which is a record's, and so on."""
        for index, (row, into) in enumerate(zip(rows, out, strict=True)):
            rng = None
            if self.transform.draws:
                rng = self.random.generator("record", record + index)
            self.transform.apply(row.transpose(1, 2, 0), rng, into)
