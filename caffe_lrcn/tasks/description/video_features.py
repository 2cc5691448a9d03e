"""What a convnet sees in the frames of videos, written to a file of features."""
from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np

from ...errors import DataError, UsageError
from ...files import new_file, replacing
from ...hdf5_files import new_hdf5
from ...sources.frame_folders import list_frames
from ...sources.picture import read_picture
from ...sources.video_file import SUFFIXES, VideoFile
from ..activity.jobs import Job, find_frames, find_videos
from ..captioning.pictures import FeatureNet
from ..progress import Progress
from .feature_files import HDF5

#: Endings of files of lines, S2VT's form.
TEXT = (".csv", ".txt")


def find_clips(paths: Iterable[Path]) -> list[Job]:
    """Return the videos among files, folders of videos and folders of folders of frames.

    Raises:
        DataError: an input is missing, or has neither.
        UsageError: two videos have one name.
    """
    found: list[Job] = []
    for path in paths:
        has_files = path.is_file() or any(file.suffix.lower() in SUFFIXES
                                          for file in path.rglob("*"))
        found += find_videos([path]) if has_files or not path.is_dir() else find_frames(path)
    for name, count in Counter(job.name for job in found).items():
        if count > 1:
            raise UsageError("two videos have one name", got=name)
    return found


def frames_of(source: Path, stride: int) -> Iterator[np.ndarray]:
    """Yield one frame in ``stride`` of a video file or a folder of frames, (H, W, 3) uint8, BGR.

    Raises:
        DataError: it is damaged.
    """
    if source.is_dir():
        for name in list_frames(source)[::stride]:
            yield read_picture(os.path.join(source, name))
        return
    with VideoFile(source) as file:
        yield from islice(file.frames(), 0, None, stride)


class VideoFeatures:
    """Features of videos in the memory; see ``feature_files.Features``.

    Args:
        net: the convnet, which is run at once.
        videos: where they are.
        stride: from one frame that is read to the next.

    Raises:
        DataError: a video is damaged.
    """

    def __init__(self, net: FeatureNet, videos: Sequence[Job], stride: int) -> None:
        self.path = "the convnet's features"
        self._found = {video.name: net.features(frames_of(video.source, stride))
                       for video in videos}
        self.counts = {name: len(found) for name, found in self._found.items()}
        self.width = next(iter(self._found.values())).shape[1]

    def read(self, video: str) -> np.ndarray:
        """Return the features of a video's frames, (F, W) float32."""
        return self._found[video].astype(np.float32)


def write_video_features(net: FeatureNet, videos: Sequence[Job], stride: int, out: Path,
                         report: Callable[[str], None]) -> tuple[int, int]:
    """Write the features of videos; return how many frames there are, and numbers a frame.

    Args:
        net: the convnet.
        videos: where they are.
        stride: from one frame that is read to the next.
        out: ``.h5``: a dataset (F, W) for each video; ``.csv`` or ``.txt``: lines
            ``<video>_<frame>,<numbers>``.
        report: receives a line now and then.

    Raises:
        DataError: a video is damaged, or the file cannot be written.
        UsageError: the file's ending is unknown, or the name of a video does not fit lines.
    """
    check_names(out, videos)
    progress = Progress(len(videos), "videos", report)
    rows = width = 0
    with _writer(out) as write:
        for video in videos:
            found = net.features(frames_of(video.source, stride))
            write(video.name, found)
            rows, width = rows + len(found), found.shape[1]
            progress.step()
    return rows, width


def check_names(out: Path, videos: Sequence[Job]) -> None:
    """See that a file of features can hold these videos; errors as above."""
    if out.suffix.lower() in HDF5:
        return
    if out.suffix.lower() not in TEXT:
        raise UsageError("the ending of the file tells its form", got=out.name,
                         wanted=f"one of {', '.join((*HDF5, *TEXT))}")
    for video in videos:
        if set(video.name) & set("_,\t"):
            raise UsageError("in lines of features the name of a video ends at the first _",
                             got=video.name, remedy="Write a file .h5, which takes any name.")


@contextmanager
def _writer(out: Path) -> Iterator[Callable[[str, np.ndarray], None]]:
    if out.suffix.lower() in HDF5:
        with (replacing(out, DataError, "the features") as name, new_hdf5(name) as hdf5):
            yield lambda video, values: hdf5.__setitem__(video, values.astype(np.float32))
        return
    with new_file(out, DataError, "the features") as file:
        yield lambda video, values: file.writelines(
            f"{video}_{frame},{','.join(f'{value:.9g}' for value in row.tolist())}\n"
            for frame, row in enumerate(values, 1))
