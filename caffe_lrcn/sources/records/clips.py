"""Clips of listed videos: some frames that follow each other, with one label."""
from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ...errors import DataError
from ..clip_list import Video, VideoList, stamp
from ..frame_folders import list_frames
from ..picture import read_picture
from ..resize import resize
from ..transform import Picture
from ..video_file import VideoFile
from .base import Record

#: (height, width) that smaller pictures are brought to. Source: the LRCN activity scripts.
SMALLEST = 240, 320


@dataclass(frozen=True)
class Cutting:
    """How clips are cut out of a video.

    Args:
        length: frames in a clip, T.
        stride: from one frame of a clip to the next.
        faithful: leave out the frame of each video that the original's reader never uses: the
            first of RGB, the last of flow.
        flow: the pictures are flow.
    """

    length: int
    stride: int = 1
    faithful: bool = False
    flow: bool = False

    @property
    def span(self) -> int:
        """How many frames of the video a clip covers."""
        return (self.length - 1) * self.stride + 1

    def clips(self, frames: int) -> int:
        """Return how many clips a video has: at each frame that leaves room, or one.

        0 is that of a video that the original's reader stops at.
        """
        if self.faithful and frames <= self.span:
            return int(self.flow and frames == self.span)
        return max(1, frames - self.span + 1 - self.faithful)

    def frames(self, clip: int, count: int) -> np.ndarray:
        """Return the frames of a clip, from 0; after the last of the video comes the last."""
        # CAFFE-QUIRK: the original counts RGB from 1 and flow from 2, and starts at 2 both times.
        first = clip + (self.faithful and not self.flow)
        return np.minimum(first + self.stride * np.arange(self.length), count - 1)


@dataclass(frozen=True)
class Sizing:
    """Which size pictures get.

    Args:
        size: (height, width); None: ``SMALLEST`` where one side is smaller, else they stay.
    """

    size: tuple[int, int] | None = None

    def of(self, height: int, width: int) -> tuple[int, int]:
        """Return the (height, width) that a picture gets."""
        small = height < SMALLEST[0] or width < SMALLEST[1]
        return self.size or (SMALLEST if small else (height, width))


@dataclass(frozen=True)
class ClipRecords:
    """Record ``u * T + t`` is frame ``t`` of clip ``u``: picture, label, and 0 or 1 as its marker.

    All clips of the first video come first, then those of the second, and so on.

    Args:
        listed: the videos.
        cutting: how clips are cut out of them.
        sizing: which size pictures get.
        rate: frames per second that are taken of a video file; None: every frame.
    """

    listed: VideoList
    cutting: Cutting
    sizing: Sizing = Sizing()
    rate: float | None = None

    pictures = (True, False, False)

    @property
    def clips(self) -> tuple[int, ...]:
        """How many clips each video has."""
        return tuple(self.cutting.clips(video.count) for video in self.listed.videos)

    @property
    def count(self) -> int:
        """How many frames all clips have."""
        return self.cutting.length * int(self._ends[-1])

    def read(self, numbers: np.ndarray) -> Iterator[Record]:
        """Yield the frames of whole clips.

        Raises:
            DataError: a video is missing, damaged, or has changed since it was listed.
        """
        for number in numbers[::self.cutting.length].tolist():
            entry, clip = self._find(number)
            label = self.listed.listed.labels[entry]
            for step, pixels in enumerate(self._load(entry, clip)):
                yield Record((Picture(pixels, encoded=True), label, step > 0))

    def place(self, number: int) -> tuple[str, str]:
        """Return ``list:line`` of a frame's video, and what that is called."""
        return self.listed.place(self._find(number)[0])

    def close(self) -> None:
        """Nothing stays open."""

    @cached_property
    def _ends(self) -> np.ndarray:
        return np.cumsum(self.clips)

    def _find(self, number: int) -> tuple[int, int]:
        """Return the entry of a frame's video, and the place of its clip among the video's."""
        clip = number // self.cutting.length
        entry = int(np.searchsorted(self._ends, clip, side="right"))
        return entry, clip - (int(self._ends[entry - 1]) if entry else 0)

    def _load(self, entry: int, clip: int) -> Iterator[np.ndarray]:
        """Yield the frames of a clip, (H, W, 3), resized."""
        video = self.listed.videos[entry]
        frames = self.cutting.frames(clip, video.count)
        try:
            if stamp(video.path) != video.stamp:
                raise _changed()
            for pixels in (self._decode if video.is_file else _read)(video, frames):
                if pixels.shape[:2] != (video.height, video.width):
                    raise DataError("a frame has another size than the first of its video",
                                    got=f"{pixels.shape[0]}x{pixels.shape[1]} (height, width)",
                                    wanted=f"{video.height}x{video.width}")
                yield resize(pixels, *self.sizing.of(video.height, video.width))
        except DataError as error:
            error.where, name = self.listed.place(entry)
            if video.path not in error.message:
                error.message = f"{name}: {error.message}"
            raise

    def _decode(self, video: Video, frames: np.ndarray) -> Iterator[np.ndarray]:
        """Yield frames of a video file, whose numbers never fall."""
        with VideoFile(video.path, threads=1) as file:
            come = 0
            for pixels in file.pick(frames.tolist(), self.rate):
                yield pixels
                come += 1
        if come < len(frames):
            raise DataError("the video ends earlier than was counted",
                            got=f"no frame {frames[come] + 1}", wanted=f"{video.count} frames",
                            remedy="Make a folder of frames: caffe-lrcn data frames")


def _read(video: Video, frames: np.ndarray) -> Iterator[np.ndarray]:
    """Yield frames of a folder, whose numbers never fall."""
    names = list_frames(Path(video.path))
    if len(names) != video.count:
        raise _changed()
    last, pixels = -1, np.empty(0)
    for frame in frames.tolist():
        if frame != last:
            pixels, last = read_picture(os.path.join(video.path, names[frame])), frame
        yield pixels


def _changed() -> DataError:
    return DataError("the video has changed since the training began",
                     remedy="Leave the videos alone while a net learns from them; resume from "
                            "the last snapshot to go on with the new ones")
