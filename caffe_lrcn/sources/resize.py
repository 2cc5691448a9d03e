"""Bilinear resizing as Caffe's tools do it.

Half-pixel centres, two taps per axis however much the picture shrinks (no antialiasing), and
8-bit results from 11-bit fixed-point weights, so that pictures resized here equal those that
Caffe resized through OpenCV (INTER_LINEAR).
"""
from __future__ import annotations

import numpy as np

_BITS = 11
_ONE = 1 << _BITS


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a picture resized to ``height`` x ``width`` pixels.

    Args:
        image: (H, W, C) uint8.

    Source: Caffe util/io.cpp (cv::resize).
    """
    if image.shape[:2] == (height, width):
        return image
    channels = image.shape[2]
    left, right, weight_left, weight_right = _taps(image.shape[1], width)
    # At the border both column taps fall on the same pixel, which then has the whole weight.
    border = left == right
    weight_left[border], weight_right[border] = _ONE, 0
    upper, lower, weight_upper, weight_lower = _taps(image.shape[0], height)

    # Only rows that are needed go through the first pass. Rows are flattened to width x channels:
    # NumPy multiplies long rows several times faster than pixels of three.
    rows, place = np.unique(np.concatenate([upper, lower]), return_inverse=True)
    needed = image if len(rows) == image.shape[0] else image[rows]
    flat = (len(rows), width * channels)
    across = np.take(needed, left, axis=1).reshape(flat) * np.repeat(weight_left, channels)
    across += np.take(needed, right, axis=1).reshape(flat) * np.repeat(weight_right, channels)
    # Fixed point: 8 + 11 bits across; 4 are dropped, 11 more come down the columns, 18 go.
    across >>= 4
    down = (across[place[:height]] * weight_upper[:, None]) >> 16
    down += (across[place[height:]] * weight_lower[:, None]) >> 16
    down += 2
    down >>= 2
    resized: np.ndarray = down.astype(np.uint8).reshape(height, width, channels)
    return resized


def enlarged_size(size: tuple[int, int], min_size: tuple[int, int]) -> tuple[int, int]:
    """Return the (height, width) that reaches both minima and keeps the aspect.

    The side that falls shorter of its minimum is brought to it.

    Source: the LRCN activity branch's image_data_layer.cpp.
    """
    (height, width), (min_height, min_width) = size, min_size
    missing_height, missing_width = min_height - height, min_width - width
    if missing_height <= 0 and missing_width <= 0:
        return height, width
    if missing_height > missing_width:
        return min_height, int(width * (min_height / height) + 0.5)
    return int(height * (min_width / width) + 0.5), min_width


def _taps(size: int, new_size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return, for each new pixel, the two source pixels and their int32 weights."""
    centre = ((np.arange(new_size) + 0.5) * (size / new_size) - 0.5).astype(np.float32)
    first = np.floor(centre).astype(np.int64)
    fraction = centre - first.astype(np.float32)
    weight = np.rint(fraction * np.float32(_ONE)).astype(np.int32)
    rest = np.rint((np.float32(1) - fraction) * np.float32(_ONE)).astype(np.int32)
    return np.clip(first, 0, size - 1), np.clip(first + 1, 0, size - 1), rest, weight
