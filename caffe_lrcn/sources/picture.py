"""Decoding of picture files to arrays of 8-bit BGR or grey pixels."""
from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

from .picture_file import open_picture

_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def read_picture(path: str, color: bool = True) -> np.ndarray:
    """Read a picture file.

    Transparency is dropped, 16-bit samples keep their high byte, and a rotation noted in the
    file is carried out, as OpenCV does it. Grey values are what the decoders under OpenCV make of
    colours: a JPEG's own luminance, libpng's sum for a PNG, ``grey`` for the other formats.

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


def png_grey(rgb: np.ndarray, gamma: float | None = None) -> np.ndarray:
    """Return (H, W, 1) grey values of (H, W, 3) pixels of a PNG file.

    Args:
        rgb: uint8 pixels.
        gamma: the exponent that the file notes (0.45455 for sRGB). Colours are then added up as
            light, and turned back; pixels that are grey already stay as they are.

    Source: libpng's png_set_rgb_to_gray, with the weights 0.299 and 0.587 that OpenCV gives it.
    """
    weights = np.array([9797, 19234, 3737], np.int32)  # of 32768
    # libpng takes exponents near 1 for 1.
    exponents = [1 if abs(value - 1) <= 0.05 else value
                 for value in (1 / gamma, gamma)] if gamma else [1, 1]
    if exponents == [1, 1]:
        return ((rgb @ weights) >> 15).astype(np.uint8)[:, :, None]
    light, back = (np.floor(255 * (np.arange(256) / 255) ** exponent + 0.5).astype(np.uint8)
                   for exponent in exponents)
    values = back[(light[rgb] @ weights + (1 << 14)) >> 15]
    same = (rgb[:, :, 0] == rgb[:, :, 1]) & (rgb[:, :, 0] == rgb[:, :, 2])
    return np.where(same, rgb[:, :, 0], values)[:, :, None]


def _upright(picture: Image.Image, color: bool) -> np.ndarray:
    if not color:
        picture.draft("L", None)  # a JPEG's luminance, without a detour over colours
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
    if picture.mode == "CMYK" and picture.format == "JPEG":
        rgb = _from_cmyk(255 - np.asarray(picture))  # Pillow turns the inks of JPEG round
    else:
        rgb = np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"))
    if not color and picture.format == "PNG":
        return png_grey(rgb, 0.45455 if "srgb" in picture.info else picture.info.get("gamma"))
    return rgb[:, :, ::-1] if color else grey(rgb[:, :, ::-1])


def _from_cmyk(inks: np.ndarray) -> np.ndarray:
    """Return RGB pixels of four inks as JPEG stores them (255: none). Source: OpenCV."""
    black = inks[:, :, 3:].astype(np.int32)
    return (black - ((255 - inks[:, :, :3]) * black >> 8)).astype(np.uint8)


def _native_pixels(picture: Image.Image) -> np.ndarray:
    if picture.mode in (*_SIXTEEN_BITS, "F"):
        raise ValueError("the samples are not 8-bit; force_color or force_gray would convert them")
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        return np.asarray(picture.convert("RGBA"))[:, :, [2, 1, 0, 3]]
    return _pixels(picture, picture.mode not in ("1", "L"))
