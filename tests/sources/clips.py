"""Folders of frames and lists of them, for tests to read."""
from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from caffe_lrcn.sources.frame_folders import About


def write_frames(folder: Path, frames: np.ndarray, kind: str = "", prefix: str = "", **made):
    """Write (T, H, W, 3) pictures, BGR, as PNG files; with ``kind`` a frames.json as well."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, pixels in enumerate(frames, start=1):
        Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1])).save(
            folder / f"{prefix}{folder.name}.{number:04d}.png")
    if kind:
        rate = made.pop("rate", 30.0)
        About(kind, len(frames), *frames.shape[1:3], rate, {}, made).write(folder)
    return folder


def marked(video: int, count: int, height: int = 6, width: int = 8) -> np.ndarray:
    """Return frames whose every value is ``50 * video + number``, numbers from 0."""
    values = 50 * video + np.arange(count, dtype=np.uint8)
    return np.broadcast_to(values[:, None, None, None], (count, height, width, 3))


def noisy(video: int, count: int, height: int = 6, width: int = 8) -> np.ndarray:
    """Return random frames, the same for the same number of a video."""
    return np.random.default_rng(video).integers(0, 256, (count, height, width, 3), np.uint8)


def write_list(folder: Path, *lines: str) -> str:
    """Write ``list.txt``."""
    (folder / "list.txt").write_text("".join(line + "\n" for line in lines))
    return str(folder / "list.txt")
