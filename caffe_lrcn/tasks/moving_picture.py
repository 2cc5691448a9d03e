"""A short moving picture of a video, for a page that needs no other file."""
from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..sources.frame_folders import list_frames
from ..sources.picture_file import open_picture
from ..sources.video_file import VideoFile

#: Longest side in pixels, and most pictures.
SIDE, PICTURES = 160, 24
_RATE = 25.0  # of folders of frames, which do not tell


def moving_picture(path: str | os.PathLike[str], side: int = SIDE,
                   pictures: int = PICTURES) -> str | None:
    """Return a video as a data URI: a moving picture that plays as long as the video does.

    Args:
        path: a video file, or a folder of frames.
        side: longest side in pixels; smaller videos keep their size.
        pictures: how many at most, spread evenly over the video.

    Returns:
        The URI; None if the video cannot be read.
    """
    try:
        frames, seconds = _frames(os.fspath(path), pictures)
    except DataError:
        return None
    return animated(frames, seconds, side)


def animated(frames: Sequence[np.ndarray], seconds: float, side: int = SIDE) -> str:
    """Return pictures as a data URI: a moving picture that repeats.

    It is WebP, or where Pillow has none, APNG, which is larger.

    Args:
        frames: (H, W, 3) uint8 each, red, green, blue; at least one.
        seconds: how long all of them take.
        side: longest side in pixels; smaller pictures keep their size.
    """
    from PIL import Image, features
    small = []
    for frame in frames:
        picture = Image.fromarray(frame)
        picture.thumbnail((side, side))
        small.append(picture)
    kind = "webp" if features.check("webp") else "png"
    memory = io.BytesIO()
    small[0].save(memory, kind, save_all=True, append_images=small[1:], loop=0, quality=70,
                  duration=max(round(1000 * seconds / len(small)), 20))
    return f"data:image/{kind};base64," + base64.b64encode(memory.getvalue()).decode()


def _frames(path: str, most: int) -> tuple[list[np.ndarray], float]:
    """Return at most so many pictures of a video, and its length in seconds."""
    if os.path.isdir(path):
        names = list_frames(Path(path))
        chosen = [names[i] for i in _spread(len(names), most)]
        return [_read(os.path.join(path, name)) for name in chosen], len(names) / _RATE
    with VideoFile(path) as video:
        rate = video.rate or _RATE
        kept = list(_every(video.frames(), most))
    return [frame[:, :, ::-1] for _, frame in kept], (kept[-1][0] + 1) / rate


def _every(frames: Iterator[np.ndarray], most: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield pictures with their numbers, evenly spread, of a video of unknown length."""
    kept: list[tuple[int, np.ndarray]] = []
    step = 1
    for number, frame in enumerate(frames):
        if number % step == 0:
            kept.append((number, frame))
        if len(kept) > most:
            kept, step = kept[::2], 2 * step
    yield from kept


def _spread(count: int, most: int) -> list[int]:
    return [i * count // min(count, most) for i in range(min(count, most))]


def _read(path: str) -> np.ndarray:
    with open_picture(path) as picture:
        return np.asarray(picture.convert("RGB"))
