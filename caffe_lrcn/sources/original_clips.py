"""What the original's reader of clips does to their pictures, defects included."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from .resize import resize
from .transform import FLOW_X, Picture, mirror_flow


@dataclass(frozen=True)
class OriginalClipTransform:
    """``value = (pixel - mean) * scale`` of mirrored crops, or of whole pictures made smaller.

    Half of the clips are mirrored and cropped at random; the other half are not cropped but
    squashed to the crop's size. TRAIN and TEST do the same.

    Args:
        crop_size: side of the square, pixels.
        area: (height, width) of the upper left part of a picture that crops come from.
        mean: None, or (1,) or (C,) values.
        scale: factor after subtracting the mean.
        flow: the picture is optical flow: mirrored, its horizontal motion becomes ``255 - value``.

    Source: sequence_input_layer.py of the LRCN activity scripts.
    """

    crop_size: int
    area: tuple[int, int]
    mean: np.ndarray | None = None
    scale: float = 1.0
    flow: bool = False

    draws = True

    def shape(self, image_shape: tuple[int, ...]) -> tuple[int, int, int]:
        """Return the (C, H, W) that an (H, W, C) picture becomes.

        Raises:
            DataError: the picture or the area has less room than a crop needs, or there are means
                for another number of channels.
        """
        height, width, channels = image_shape
        room = min(height, width, *self.area)
        if room <= self.crop_size:
            raise DataError("the picture is not larger than the crop", got=f"{room} pixels",
                            wanted=f"more than crop_size {self.crop_size}",
                            remedy="Resize with new_height and new_width, or crop less.")
        if self.mean is not None and len(self.mean) not in (1, channels):
            raise DataError("the mean values do not fit the picture", got=len(self.mean),
                            wanted=f"1, or one for each of {channels} channels")
        return channels, self.crop_size, self.crop_size

    def apply(self, picture: Picture, rng: np.random.Generator | None, out: np.ndarray) -> None:
        """Transform one picture.

        Args:
            picture: all of it.
            rng: draws row offset, column offset, mirror, in this order.
            out: the (C, crop_size, crop_size) array of floats to fill.
        """
        assert rng is not None
        size, image = self.crop_size, picture.pixels
        # CAFFE-QUIRK: the original draws int(u * room), and so never the last offset.
        y, x = (int(rng.integers(side - size)) for side in self.area)
        if rng.integers(2):
            out[...] = image[:, ::-1][y:y + size, x:x + size].transpose(2, 0, 1)
            if self.flow:
                mirror_flow(out[FLOW_X:FLOW_X + 1], 255)
        else:  # CAFFE-QUIRK: only mirrored clips are cropped
            out[...] = resize(image, size, size).transpose(2, 0, 1)
        if self.mean is not None:
            out -= self.mean[:, None, None]
        if self.scale != 1:
            out *= out.dtype.type(self.scale)
