"""Pictures as float arrays (H, W, C): load, resize, crop, mirror. Source: python/caffe/io.py."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import UsageError
from ..sources.picture_file import open_picture

#: Height and width in pixels.
Dims = Sequence[int] | np.ndarray

_LUMINANCE = (0.2125, 0.7154, 0.0721)


def load_image(filename: str, color: bool = True) -> np.ndarray:
    """Read a picture file.

    Args:
        filename: a JPEG, PNG, BMP, TIFF, PPM, GIF or WebP file; transparency is dropped.
        color: False gives the luminance, 0.2125 R + 0.7154 G + 0.0721 B.

    Returns:
        (H, W, 3) in RGB order or (H, W, 1), float32 in [0, 1].

    Raises:
        DataError: the file is missing, damaged or no picture.
    """
    values = _read(filename)
    if color:
        return np.repeat(values, 3, axis=2) if values.shape[2] == 1 else values
    if values.shape[2] == 1:
        return values
    return (values @ np.array(_LUMINANCE, np.float32))[:, :, np.newaxis]


def _read(filename: str) -> np.ndarray:
    with open_picture(filename) as picture:
        if picture.mode == "F" or picture.mode.startswith("I"):
            limit = 1 if picture.mode == "F" else 65535  # floats, or 16 bits a sample
            return np.asarray(picture, np.float32)[:, :, np.newaxis] / np.float32(limit)
        grey = picture.mode in ("1", "L", "LA")
        values = np.asarray(picture.convert("L" if grey else "RGB"))
    values = values / np.float32(255)
    return values[:, :, np.newaxis] if grey else values


def resize_image(im: np.ndarray, new_dims: Dims, interp_order: int = 1) -> np.ndarray:
    """Resize a picture by spline interpolation.

    Pictures of one or three channels: pixel centres are aligned as in scikit-image's ``resize``
    without antialiasing, and what lies outside the picture counts as its darkest value. Any other
    array: corners are aligned.

    Args:
        im: (H, W, C).
        new_dims: height and width in pixels.
        interp_order: 0 nearest, 1 bilinear, 3 bicubic.

    Returns:
        float32 (new height, new width, C).
    """
    from scipy import ndimage
    dims = (int(new_dims[0]), int(new_dims[1]))
    scale = (dims[0] / im.shape[0], dims[1] / im.shape[1], 1)
    if im.shape[-1] not in (1, 3):
        return ndimage.zoom(im, scale, order=interp_order).astype(np.float32)
    low, high = float(im.min()), float(im.max())
    if low == high:
        return np.full((*dims, im.shape[-1]), low, np.float32)
    unit = (im - low) / (high - low)
    # CAFFE-QUIRK: enlarging darkens the border, since 0 is mixed in from outside.
    resized = ndimage.zoom(unit, scale, order=interp_order, mode="grid-constant", cval=0,
                           grid_mode=True)
    return (np.clip(resized, 0, 1) * (high - low) + low).astype(np.float32)


def oversample(images: Sequence[np.ndarray] | np.ndarray, crop_dims: Dims,
               flow: bool = False) -> np.ndarray:
    """Cut ten crops from each picture: four corners, the centre, and their mirrors.

    CAFFE-QUIRK: the centre is rounded down.

    Args:
        images: K pictures (H, W, C) of one size.
        crop_dims: height and width of a crop.
        flow: the pictures are optical flow: channel 0 of a mirror is 1 - value.

    Returns:
        float32 (10 K, height, width, C), the ten crops of a picture together.

    Raises:
        UsageError: a picture is smaller than the crop.
    """
    pictures = np.asarray(images)
    (height, width), (crop_h, crop_w) = pictures.shape[1:3], map(int, crop_dims)
    if crop_h > height or crop_w > width:
        raise UsageError("the pictures are smaller than the crop", got=(height, width),
                         wanted=(crop_h, crop_w), remedy="Resize them first.")
    down, right = height - crop_h, width - crop_w
    corners = [(0, 0), (0, right), (down, 0), (down, right), centre((height, width),
                                                                    (crop_h, crop_w))]
    crops = np.empty((len(pictures), 10, crop_h, crop_w, pictures.shape[3]), np.float32)
    for index, (top, left) in enumerate(corners):
        crops[:, index] = pictures[:, top:top + crop_h, left:left + crop_w]
    crops[:, 5:] = crops[:, :5, :, ::-1]
    if flow:
        crops[:, 5:, :, :, 0] = 1 - crops[:, 5:, :, :, 0]
    return crops.reshape(-1, *crops.shape[2:])


def centre(size: Dims, crop_dims: Dims) -> tuple[int, int]:
    """Return top and left of the crop in the centre, rounded down."""
    top, left = (int(whole / 2 - crop / 2) for whole, crop in zip(size, crop_dims, strict=True))
    return top, left


def flip_image(im: np.ndarray, scale: float = 128, is_flow: bool = False) -> np.ndarray:
    """Return a picture (H, W, C) mirrored left to right; of flow, channel 0 becomes scale - value.

    Source: the LRCN activity branch's io.py.
    """
    mirrored = im[:, ::-1, :].copy()
    if is_flow:
        mirrored[:, :, 0] = scale - mirrored[:, :, 0]
    return mirrored
