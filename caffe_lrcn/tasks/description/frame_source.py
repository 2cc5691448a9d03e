"""Frames of videos that a net reads as pictures: folders of frames, or video files."""
from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ...errors import DataError, UsageError
from ...sources.clip_list import find_video, look
from ...sources.frame_folders import RGB, list_frames


class Frames:
    """One frame in ``stride`` of each video, as ImageData and VideoData read them.

    Args:
        root: the folder of the videos; ``root/name`` is a folder of frames, or a video file with or
            without its suffix.
        stride: from one frame that is read to the next.
        names: the videos to look for; those that are not there are not in ``counts``.

    Raises:
        DataError: a video is damaged.
    """

    def __init__(self, root: Path, stride: int, names: Iterable[str]) -> None:
        if stride < 1:
            raise UsageError("--stride must be positive", got=stride)
        if not root.is_dir():
            raise DataError("there is no such folder of videos", where=root)
        self.path, self.stride = os.fspath(root), stride
        self.width = 0  # of features, which there are none of
        #: video -> its folder or file
        self.places: dict[str, str] = {}
        #: video -> how many frames are read
        self.counts: dict[str, int] = {}
        for name in dict.fromkeys(names):
            place = find_video(name, self.path, (), RGB)
            if place is not None:
                video, _ = look(place, RGB, None)
                self.places[name] = place
                self.counts[name] = -(-video.count // stride)

    def pictures(self, video: str) -> list[str] | None:
        """Return the files of the frames that are read; None for a video file."""
        place = self.places[video]
        if not os.path.isdir(place):
            return None
        return [os.path.join(place, name) for name in list_frames(Path(place))[::self.stride]]
