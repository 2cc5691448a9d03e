"""What happens to a picture between decoding and the net: crop, mirror, mean, scale."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DataError

TRAIN = 0
FLOW_X = 2  # pictures of flow are BGR: x in red, y in green


@dataclass(slots=True)
class Picture:
    """A picture before its transform.

    Args:
        pixels: (H, W, C), 8-bit as a rule, BGR or grey.
        encoded: it was stored as a picture file, not as plain values.
        window: x1, y1, x2, y2 of the part that counts, corners included; None: no part of it.
    """

    pixels: np.ndarray
    encoded: bool = False
    window: tuple[int, int, int, int] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W, C)."""
        return self.pixels.shape


@dataclass(frozen=True)
class Transform:
    """``value = (pixel - mean) * scale``, of a crop that may be mirrored.

    Args:
        scale: factor after subtracting the mean.
        mirror: flip left-right with probability 1/2, in TEST as well.
        crop_size: side of the square crop in pixels, at random in TRAIN and central in TEST;
            0 keeps the whole picture.
        flow: the picture is optical flow: where it is mirrored, channel 2, the horizontal motion,
            becomes ``flow_sum - value`` before the mean is subtracted.
        flow_sum: what a value of horizontal motion and its mirrored one add up to, the latter at
            most 255. 256 keeps 128, no motion, where it is.
        encoded_flow: so does that of pictures that were stored as picture files.
        mean: None; (1,) or (C,) values; or a (C, H, W) picture of the size before cropping.
        phase: TRAIN (0) or TEST (1).

    Source: Caffe data_transformer.cpp; ``flow``: that of the LRCN activity branch.
    """

    scale: float = 1.0
    mirror: bool = False
    crop_size: int = 0
    flow: bool = False
    flow_sum: int = 255
    encoded_flow: bool = True
    mean: np.ndarray | None = None
    phase: int = TRAIN

    @property
    def draws(self) -> bool:
        """Whether the result depends on random numbers."""
        return self.mirror or (self.phase == TRAIN and self.crop_size > 0)

    def shape(self, image_shape: tuple[int, ...]) -> tuple[int, int, int]:
        """Return the (C, H, W) that an (H, W, C) picture becomes.

        Raises:
            DataError: the picture is smaller than the crop, or does not fit the mean.
        """
        height, width, channels = image_shape
        if self.mean is not None:
            self._check_mean(height, width, channels)
        if not self.crop_size:
            return channels, height, width
        if min(height, width) < self.crop_size:
            raise DataError("the picture is smaller than the crop",
                            got=f"{height}x{width}", wanted=f"crop_size {self.crop_size}",
                            remedy="Resize with new_height and new_width, or crop less.")
        return channels, self.crop_size, self.crop_size

    def apply(self, picture: Picture, rng: np.random.Generator | None, out: np.ndarray) -> None:
        """Transform one picture.

        Args:
            picture: all of it, whatever its window.
            rng: draws mirror, row offset, column offset, in this order; unused unless ``draws``.
            out: the (C, H, W) array of floats to fill, shaped as ``shape`` tells.

        Raises:
            DataError: the picture is smaller than the crop, or does not fit the mean.
        """
        image = picture.pixels
        _, height, width = self.shape(image.shape)
        flip = bool(self.mirror and rng is not None and rng.integers(2))
        room_y, room_x = image.shape[0] - height, image.shape[1] - width
        y, x = room_y // 2, room_x // 2
        if self.crop_size and self.phase == TRAIN and rng is not None:
            y, x = int(rng.integers(room_y + 1)), int(rng.integers(room_x + 1))
        if room_y or room_x:
            image = image[y:y + height, x:x + width]
        out[...] = (image[:, ::-1] if flip else image).transpose(2, 0, 1)
        if flip and self.flow and (self.encoded_flow or not picture.encoded):
            mirror_flow(out[FLOW_X:FLOW_X + 1], self.flow_sum)
        if self.mean is not None:
            if self.mean.ndim == 1:
                out -= self.mean[:, None, None]
            else:
                out -= self.mean[:, y:y + height, x:x + width][:, :, ::-1 if flip else 1]
        if self.scale != 1:
            out *= out.dtype.type(self.scale)

    def _check_mean(self, height: int, width: int, channels: int) -> None:
        assert self.mean is not None
        if self.mean.ndim == 1 and len(self.mean) not in (1, channels):
            raise DataError("the mean values do not fit the picture", got=f"{len(self.mean)}",
                            wanted=f"1, or one for each of {channels} channels")
        if self.mean.ndim == 3 and self.mean.shape != (channels, height, width):
            raise DataError("the mean picture does not fit the picture before cropping",
                            got=f"mean of {self.mean.shape}",
                            wanted=f"{(channels, height, width)}",
                            remedy="Compute the mean from pictures of this size, or use "
                                   "mean_value.")


def mirror_flow(motion: np.ndarray, flow_sum: int) -> None:
    """Negate horizontal motion in place; see ``Transform.flow_sum``."""
    motion[...] = np.minimum(flow_sum - motion, 255)


def from_param(param: Any, phase: int, mean: np.ndarray | None = None) -> Transform:
    """Return the transform that a TransformationParameter describes.

    Args:
        param: the TransformationParameter.
        phase: TRAIN or TEST.
        mean: what was read from ``mean_file``, (C, H, W), if that is set.

    Raises:
        DataError: both ``mean_file`` and ``mean_value`` are given.
    """
    if param.mean_file and param.mean_value:
        raise DataError("mean_file and mean_value are both given", remedy="Give one of them.")
    if param.mean_value:
        mean = np.array(param.mean_value, np.float32)
    return Transform(scale=param.scale, mirror=param.mirror, crop_size=param.crop_size,
                     flow=param.flow, mean=mean, phase=phase)
