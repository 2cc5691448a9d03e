"""The frames of a video as nets take them: of files, of folders, and the flow between them."""
from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ... import glog
from ...errors import DataError
from ...sources.clip_list import look
from ...sources.frame_folders import FLOW, RGB, list_frames
from ...sources.picture import grey, read_picture
from ...sources.video_file import VideoFile
from .flow import STILL, FlowMethod, flow_picture

_NUMBER = re.compile(r"[0-9]+")
_DARK = STILL - 12  # a JPEG may spoil values of 128 by so much
_FEW = 0.05         # share of pixels that may be darker


@dataclass
class Footage:
    """Frames that can be read once, as (H, W, 3) uint8, BGR.

    A video that is damaged somewhere gives the frames before that place.

    Args:
        source: the frames.
        rate: per second of video; None if unknown.
        promised: how many there are, as far as is known.
        made: how flow was made, as far as is known: method and scale.
        watch: is shown every frame.

    Attributes:
        count: how many frames have been read.
        problem: what ended the frames too early.
    """

    source: Iterable[np.ndarray]
    rate: float | None = None
    promised: int | None = None
    made: dict[str, Any] = field(default_factory=dict)
    watch: Callable[[np.ndarray], None] = lambda frame: None
    count: int = 0
    problem: DataError | None = None

    def __iter__(self) -> Iterator[np.ndarray]:
        try:
            for frame in self.source:
                self.count += 1
                self.watch(frame)
                yield frame
        except DataError as error:
            if not self.count:
                raise
            self.problem = error


@contextmanager
def open_frames(path: str, rate: float | None = None) -> Iterator[Footage]:
    """Give the block the frames of a video file, or of a folder of frames.

    Args:
        path: of the file or folder.
        rate: frames per second that are taken of a file; None: each once.

    Raises:
        DataError: it is missing or damaged, is a folder of flow, or has frames of several sizes.
    """
    if os.path.isdir(path):
        yield _folder(path, RGB, rate)
        return
    with VideoFile(path) as video:
        yield Footage(video.frames(rate), rate or video.rate, None if rate else video.promised)


def open_flow(path: str) -> Footage:
    """Return the pictures of flow in a folder.

    Raises:
        DataError: it is missing or damaged, or has something else in it.
    """
    if not os.path.isdir(path):
        raise DataError("the folder of flow pictures does not exist", got=path,
                        remedy="Make it: caffe-lrcn data flow FRAMES --out FOLDER")
    found = _folder(path, FLOW, None)
    if not found.made:
        first = read_picture(os.path.join(path, list_frames(Path(path))[0]))
        if (first[:, :, 0] < _DARK).mean() > _FEW:
            raise DataError("this does not look like a picture of flow", where=path,
                            got="blue values below 128",
                            wanted="red and green for the motion, blue for its length, 128 for "
                                   "none",
                            remedy="Make them: caffe-lrcn data flow FRAMES --out FOLDER")
    return found


def flow_between(frames: Footage, method: FlowMethod, scale: float,
                 resized: Callable[[np.ndarray], np.ndarray], threads: int = 1) -> Footage:
    """Return the pictures of flow between frames, one fewer than there are frames.

    Args:
        frames: of RGB.
        method, scale: of the flow, as ``data flow`` has them.
        resized: brings a frame to the size in which flow is computed.
        threads: how many pairs are computed at once.
    """
    def pictures() -> Iterator[np.ndarray]:
        waiting: deque[Future[np.ndarray]] = deque()
        with ThreadPoolExecutor(threads) as pool:
            for first, second in pairwise(_grey(frames, resized)):
                waiting.append(pool.submit(_picture, method, scale, first, second))
                if len(waiting) >= threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        if frames.problem:
            raise frames.problem
        if frames.count < 2:
            raise DataError("flow needs two frames or more", got=frames.count)

    promised = frames.promised - 1 if frames.promised else None
    return Footage(pictures(), frames.rate, promised,
                   {"method": method.name, "scale": scale})


def _grey(frames: Footage, resized: Callable[[np.ndarray], np.ndarray]) -> Iterator[np.ndarray]:
    for frame in same_sizes(frames):
        yield grey(resized(frame))[:, :, 0]


def same_sizes(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield frames as long as they have one size.

    Raises:
        DataError: one has another size than the first.
    """
    first: tuple[int, ...] | None = None
    for number, frame in enumerate(frames, start=1):
        if frame.shape != (first := first or frame.shape):
            raise DataError(f"frame {number} has another size than the first",
                            got="{}x{} (height, width)".format(*frame.shape),
                            wanted="{}x{}".format(*first))
        yield frame


def _picture(method: FlowMethod, scale: float, first: np.ndarray, second: np.ndarray
             ) -> np.ndarray:
    return np.ascontiguousarray(flow_picture(method(first, second), scale)[:, :, ::-1])


def _folder(path: str, kind: str, rate: float | None) -> Footage:
    try:
        video, about = look(path, kind, rate)
    except DataError as error:
        if error.message.startswith("these are"):
            command = {RGB: "frames", FLOW: "flow"}[kind]
            error.remedy = (f"Name the folder that 'caffe-lrcn data {command}' wrote, or a net "
                            f"for {'flow' if kind == RGB else 'frames'}")
        raise
    names = list_frames(Path(path))
    series = sorted({_NUMBER.sub("#", name) for name in names})
    if len(series) > 1 and about is None:
        glog.warning("%s: the names of the pictures differ in more than their number (%s); all are "
                     "taken for frames of one video", path, ", ".join(series[:4]))
    pictures = (read_picture(os.path.join(path, name)) for name in names)
    made = {key: about.made.get(key) for key in ("method", "scale")} if (
        about and kind == FLOW) else {}
    return Footage(pictures, about.rate if about else None, video.count, made)
