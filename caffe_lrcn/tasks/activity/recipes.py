"""How frames are made of a video, and flow of frames."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ...errors import DataError
from ...sources.frame_folders import (
    FLOW,
    RGB,
    About,
    check_numbers,
    flow_name,
    frame_name,
    list_frames,
    read_about,
)
from ...sources.picture import read_picture
from ...sources.resize import resize
from ...sources.video_file import VideoFile
from .flow import FlowMethod, flow_picture
from .jobs import Job


@dataclass(frozen=True)
class FrameRecipe:
    """How frames are made.

    Args:
        rate: pictures per second; None: every picture of the file.
        quality: of the JPEG files, 1 to 95.
        size: (height, width) to resize to, pixels; None: as in the file.
    """

    rate: float | None = None
    quality: int = 95
    size: tuple[int, int] | None = None

    kind = RGB

    @property
    def made(self) -> dict[str, Any]:
        """What decides how the pictures look."""
        return {"rate": self.rate, "quality": self.quality,
                "size": list(self.size) if self.size else None}

    def write(self, job: Job, folder: Path) -> About:
        """Write the frames of a video and return what they are.

        Raises:
            DataError: the video is damaged.
        """
        number, shape = 0, (0, 0)
        stem = job.name.rpartition("/")[2]
        with VideoFile(job.source) as video:
            for number, frame in enumerate(video.frames(self.rate), start=1):
                if self.size:
                    frame = resize(frame, *self.size)
                shape = frame.shape[:2]
                _save(frame[:, :, ::-1], folder / frame_name(stem, number), self.quality)
            rate = self.rate or video.rate
        return About(RGB, number, *shape, rate, self.source(job), self.made)

    def source(self, job: Job) -> dict[str, Any]:
        """Return what tells whether a video is still the one that was read."""
        status = job.source.stat()
        return {"name": job.source.name, "bytes": status.st_size,
                "modified": int(status.st_mtime)}


@dataclass(frozen=True)
class FlowRecipe:
    """How pictures of flow are made from frames.

    Args:
        method: computes flow.
        scale: grey levels per pixel of motion.
        quality: of the JPEG files, 1 to 95.
    """

    method: FlowMethod
    scale: float = 16.0
    quality: int = 95

    kind = FLOW

    @property
    def made(self) -> dict[str, Any]:
        """What decides how the pictures look."""
        return {"method": self.method.name, "scale": self.scale, "quality": self.quality}

    def write(self, job: Job, folder: Path) -> About:
        """Write the flow between the frames of a folder and return what it is.

        Raises:
            DataError: there is one frame only, or frames are damaged or of several sizes.
        """
        names = list_frames(job.source)
        if len(names) < 2:
            raise DataError("flow needs two frames or more", where=job.source, got=1)
        about = read_about(job.source)
        if about is None:
            check_numbers(job.source, names)
        before = None
        for name in names:
            frame = read_picture(str(job.source / name), color=False)[:, :, 0]
            if before is not None:
                if before.shape != frame.shape:
                    raise DataError("the frames have several sizes", where=job.source / name,
                                    got=frame.shape, wanted=before.shape)
                picture = flow_picture(self.method(before, frame), self.scale)
                _save(picture, folder / flow_name(name), self.quality, subsampling=0)
            before = frame
        return About(FLOW, len(names) - 1, *frame.shape, about.rate if about else None,
                     self.source(job), self.made)

    def source(self, job: Job) -> dict[str, Any]:
        """Return what the frames were made from and how; empty if they do not say."""
        about = read_about(job.source)
        return {**about.source, "frames": about.made} if about else {}


Recipe = FrameRecipe | FlowRecipe


def _save(pixels: np.ndarray, path: Path, quality: int, subsampling: int = -1) -> None:
    Image.fromarray(np.ascontiguousarray(pixels)).save(
        path, "JPEG", quality=quality, subsampling=subsampling)
