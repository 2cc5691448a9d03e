"""What trained nets say about videos: windows of frames for LRCN, single frames, streams."""
from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ...backends import Backend, get_backend
from ...errors import DataError, UsageError
from .clip_net import ClipNet
from .footage import same_sizes
from .frame_input import read_frame_input
from .windows import SIZE, average, filled, over_time, windows

_BATCH = 32      # pictures that go through the net together
_ROWS = 1024     # rows of features that the recurrent part takes together


@dataclass(frozen=True)
class Recognition:
    """What is said about a video of L frames.

    Args:
        average: (classes,) probabilities: the mean over crops, frames and windows.
        over_time: (L, classes) probabilities at each frame.
    """

    average: np.ndarray
    over_time: np.ndarray


class Recogniser:
    """A trained net of activity recognition.

    Args:
        definition: the deploy net: ``data`` (N, C, H, W) to ``probs`` (N, classes), or with
            ``clip_markers`` (T, N) too, to (T, N, classes).
        weights: a ``.caffemodel`` or ``.caffemodel.h5``; layers match by name.
        classes: their names; by default ``class 0`` and so on.
        stages: variant of the definition.
        backend: where to run; the CPU by default.
        size: frames of a window; by default T of the definition's clips, if that is more than 1,
            or 16.
        stride: frames from one window's start to the next; by default half a window.
        crops: ``center`` or ``10``; by default the centre, or 10 if ``faithful``.
        faithful: windows, resizing and mirrored flow as in the original's scripts.
        flow: whether the net takes pictures of flow; by default what its input says.
        frame_size: (height, width) that frames are resized to, if not what the input says.
        mean: blue, green, red, if not what the input says.
        batch: how many pictures go through the net together.

    Attributes:
        flow: whether it takes pictures of flow.
        recurrent: whether it reads frames one after another.

    Raises:
        NetError, WeightsError: as ``ClipNet``.
        DataError, ShapeError: as ``read_frame_input``.
        UsageError: there are not as many names as classes, or impossible windows.
    """

    def __init__(self, definition: str | os.PathLike[str], weights: str | os.PathLike[str], *,
                 classes: Sequence[str] | None = None, stages: Iterable[str] = (),
                 backend: Backend | None = None, size: int | None = None, stride: int | None = None,
                 crops: str | None = None, faithful: bool = False, flow: bool | None = None,
                 frame_size: tuple[int, int] | None = None, mean: Sequence[float] | None = None,
                 batch: int = _BATCH) -> None:
        if batch < 1:
            raise UsageError("a batch needs a picture", got=batch)
        self.net = ClipNet(definition, weights, stages, backend or get_backend("cpu"))
        self.recurrent = self.net.recurrent
        if size is None:
            size = self.net.length if self.net.length > 1 else SIZE
        stride = max(size // 2, 1) if stride is None else stride
        windows(max(size, 1), size, stride)  # raises
        if classes is not None and len(classes) != self.net.classes:
            raise UsageError("there are not as many names of classes as the net has classes",
                             where=definition, got=len(classes), wanted=self.net.classes)
        if self.net.steps and size > self.net.steps:
            raise UsageError("the windows are longer than the clips of the net",
                             where=definition, got=size, wanted=f"at most {self.net.steps}")
        self.classes = list(classes or map("class {}".format, range(self.net.classes)))
        self.input = read_frame_input(
            self.net.net, self.net.input_name, crops=crops or ("10" if faithful else "center"),
            flow=flow, size=frame_size, mean=mean, faithful=faithful, recurrent=self.recurrent)
        self.flow = self.input.flow
        self.size, self.stride, self.faithful, self.batch = size, stride, faithful, batch

    def __call__(self, frames: Iterable[np.ndarray]) -> Recognition:
        """Return what is said about a video.

        A video that is shorter than a window is one shorter window.

        Args:
            frames: (H, W, 3) uint8, BGR, all of one size; of flow as pictures.

        Raises:
            DataError: there are no frames, or frames of several sizes.
        """
        found = self._by_windows if self.recurrent else self._one_by_one
        return found(self._features(frames))

    def stream(self, frames: Iterable[np.ndarray], chunk: int = SIZE) -> Iterator[np.ndarray]:
        """Yield the probabilities (classes,) at each frame of a video without an end.

        An LRCN net carries its state on from the first frame to the last; memory does not grow.

        Args:
            frames: as for a video.
            chunk: how many frames are read before the net runs.

        Raises:
            DataError: as for a video.
        """
        features = self._features(frames, chunk)
        if not self.recurrent:
            for value in features:
                yield value.mean(axis=0, dtype=np.float64)
            return
        if self.net.columns and self.net.columns < self.input.count:
            raise UsageError("the net has too few columns for a stream of these crops",
                             got=self.net.columns, wanted=self.input.count)
        steps = self.net.steps or chunk
        self.net.reset()
        begun = False
        while rows := list(islice(features, steps)):
            clip = np.stack(filled(rows, self.net.steps or len(rows)))
            markers = np.ones(clip.shape[:2], np.float32)
            markers[0] = begun
            begun = True
            yield from self.net.clips(clip, markers)[:len(rows)].mean(axis=1, dtype=np.float64)

    def _features(self, frames: Iterable[np.ndarray], chunk: int | None = None
                  ) -> Iterator[np.ndarray]:
        """Yield what the net makes of each frame by itself, (K, ...)."""
        sized = map(self.input.resized, same_sizes(frames))
        at_once = max(1, self.batch // self.input.count)
        number = 0
        while some := list(islice(sized, min(at_once, chunk or at_once))):
            pictures = self.input(some, number)
            rows = self.net.features(pictures.reshape(-1, *self.net.picture_shape))
            yield from rows.reshape(*pictures.shape[:2], *rows.shape[1:])
            number += len(some)
        if not number:
            raise DataError("the video has no frames")

    def _one_by_one(self, features: Iterator[np.ndarray]) -> Recognition:
        values = np.stack([value.mean(axis=0, dtype=np.float64) for value in features])
        return Recognition(average([values]), values)

    def _by_windows(self, features: Iterator[np.ndarray]) -> Recognition:
        """Cut features into windows, and run the recurrent part on several at once.

        Held are the features that windows to come may need: from one stride before the next
        window on, since the last window may begin there.
        """
        held: list[np.ndarray] = []
        first, start, length = 0, 0, 0  # frame of held[0]; of the next window; frames so far
        waiting: list[list[int]] = []
        done: list[list[int]] = []
        found: list[np.ndarray] = []

        def run() -> None:
            if waiting:
                rows = [[held[frame - first] for frame in window] for window in waiting]
                found.extend(self._run_windows(rows))
                done.extend(waiting)
                waiting.clear()

        at_once = max(1, _ROWS // (self.size * self.input.count))
        for value in features:
            held.append(value)
            length += 1
            if length == start + self.size:
                waiting.append(list(range(start, length)))
                start += self.stride
                if len(waiting) == at_once:
                    run()
                    del held[:max(start - self.stride - first, 0)]
                    first = length - len(held)
        everything = windows(length, self.size, self.stride, self.faithful)
        waiting += everything[len(done) + len(waiting):]
        run()
        return Recognition(average(found), over_time(length, done, found))

    def _run_windows(self, rows: Sequence[Sequence[np.ndarray]]) -> Iterator[np.ndarray]:
        """Yield the probabilities (T, classes) of windows of one length, averaged over crops."""
        length = len(rows[0])
        whole = [np.stack(filled(window, self.net.steps or length)) for window in rows]
        features = np.stack(whole, axis=1)  # (T, W, K, ...)
        steps, count, crops = features.shape[:3]
        markers = np.ones((steps, count * crops), np.float32)
        markers[0] = 0
        self.net.reset()
        probabilities = self.net.clips(
            features.reshape(steps, count * crops, *features.shape[3:]), markers)
        each = probabilities.reshape(steps, count, crops, -1).mean(axis=2, dtype=np.float64)
        yield from each[:length].transpose(1, 0, 2)
