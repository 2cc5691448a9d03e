"""Decoding of picture files to arrays of 8-bit BGR or grey pixels."""
from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

from .picture_file import open_picture

_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def read_picture(path: str, color: bool = True) -> np.ndarray:
    """Read a picture file.

    Transparency is dropped, 16-bit samples keep their high byte, and a rotation noted in the
    file is carried out, as OpenCV does it.

    Args:
        path: a file of one of the ``picture_file.FORMATS``.
        color: True for (H, W, 3) in BGR order, False for (H, W, 1) grey.

    Returns:
        uint8 pixels.

    Raises:
        DataError: as ``open_picture``.

    Source: Caffe util/io.cpp (cv::imread).
    """
    with open_picture(path) as picture:
        return _upright(picture, color)


def decode_picture(content: bytes, color: bool | None = True) -> np.ndarray:
    """Decode a picture file held in memory.

    Args:
        content: the file's bytes.
        color: as in ``read_picture``; None keeps grey pictures grey and transparency as a fourth
            channel, and leaves the rotation as stored.

    Returns:
        (H, W, 1), (H, W, 3) or (H, W, 4) uint8 pixels, BGR or BGRA.

    Raises:
        DataError: as ``open_picture``; or with None, the samples have no 8 bits.

    Source: Caffe util/io.cpp (cv::imdecode).
    """
    with open_picture(content) as picture:
        return _native_pixels(picture) if color is None else _upright(picture, color)


def grey(bgr: np.ndarray) -> np.ndarray:
    """Return (H, W, 1) grey values 0.114 B + 0.587 G + 0.299 R of (H, W, 3) pixels.

    Source: OpenCV's conversion, in 14-bit fixed point.
    """
    weights = np.array([1868, 9617, 4899], np.int32)
    return ((bgr @ weights + (1 << 13)) >> 14).astype(np.uint8)[:, :, None]


def _upright(picture: Image.Image, color: bool) -> np.ndarray:
    ImageOps.exif_transpose(picture, in_place=True)  # without a rotation a copy would cost memory
    return _pixels(picture, color)


def _pixels(picture: Image.Image, color: bool) -> np.ndarray:
    if picture.mode in _SIXTEEN_BITS:  # Pillow would clip these to 255
        samples = (np.clip(np.asarray(picture), 0, 0xFFFF) >> 8).astype(np.uint8)[:, :, None]
        return np.repeat(samples, 3, axis=2) if color else samples
    if picture.mode == "F":
        raise ValueError("floating-point pictures are not supported")
    if picture.mode in ("1", "L", "LA"):
        samples = np.asarray(picture.convert("L"))[:, :, None]
        return np.repeat(samples, 3, axis=2) if color else samples
    rgb = picture if picture.mode == "RGB" else picture.convert("RGB")
    bgr = np.asarray(rgb)[:, :, ::-1]
    return bgr if color else grey(bgr)


def _native_pixels(picture: Image.Image) -> np.ndarray:
    if picture.mode in (*_SIXTEEN_BITS, "F"):
        raise ValueError("the samples are not 8-bit; force_color or force_gray would convert them")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        return np.asarray(picture.convert("RGBA"))[:, :, [2, 1, 0, 3]]
    return _pixels(picture, picture.mode not in ("1", "L"))
