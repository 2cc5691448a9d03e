"""Decoding of picture files to arrays of 8-bit BGR or grey pixels."""
from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

from ..errors import DataError

_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def read_picture(path: str, color: bool = True) -> np.ndarray:
    """Read a picture file.

    Transparency is dropped, 16-bit samples keep their high byte, and a rotation noted in the
    file is carried out, as OpenCV does it.

    Args:
        path: a file of any format that Pillow reads.
        color: True for (H, W, 3) in BGR order, False for (H, W, 1) grey.

    Returns:
        uint8 pixels.

    Raises:
        DataError: the file is missing, damaged, or no picture.

    Source: Caffe util/io.cpp (cv::imread).
    """
    try:
        with Image.open(path) as picture:
            return _pixels(ImageOps.exif_transpose(picture), color)
    except FileNotFoundError:
        raise DataError(f"picture '{path}' is missing") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"picture '{path}' cannot be read", got=str(error)) from error


def grey(bgr: np.ndarray) -> np.ndarray:
    """Return (H, W, 1) grey values 0.114 B + 0.587 G + 0.299 R of (H, W, 3) pixels.

    Source: OpenCV's conversion, in 14-bit fixed point.
    """
    weights = np.array([1868, 9617, 4899], np.int32)
    return ((bgr @ weights + (1 << 13)) >> 14).astype(np.uint8)[:, :, None]


def _pixels(picture: Image.Image, color: bool) -> np.ndarray:
    if picture.mode in _SIXTEEN_BITS:  # Pillow would clip these to 255
        samples = (np.clip(np.asarray(picture), 0, 0xFFFF) >> 8).astype(np.uint8)[:, :, None]
        return np.repeat(samples, 3, axis=2) if color else samples
    if picture.mode == "F":
        raise ValueError("floating-point pictures are not supported")
    if picture.mode in ("1", "L", "LA"):
        samples = np.asarray(picture.convert("L"))[:, :, None]
        return np.repeat(samples, 3, axis=2) if color else samples
    bgr = np.asarray(picture.convert("RGB"))[:, :, ::-1]
    return bgr if color else grey(bgr)
