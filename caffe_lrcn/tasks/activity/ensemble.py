"""Several nets that look at one video together: RGB and flow, their probabilities fused."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, tee
from typing import Any

import numpy as np

from ...errors import DataError, UsageError
from .flow import FlowMethod
from .footage import Footage, flow_between, open_flow, open_frames
from .recognise import Recogniser
from .windows import fuse


@dataclass(frozen=True)
class Video:
    """Where a video is.

    Args:
        name: what it is called.
        frames: its file, or its folder of frames; None if there is flow alone.
        flow: its folder of flow pictures; None: flow is computed from the frames.
        label: its class, from 0, if that is known.
    """

    name: str
    frames: str | None
    flow: str | None = None
    label: int | None = None


@dataclass(frozen=True)
class Recognised:
    """What nets say about a video.

    Args:
        video: the video.
        average: (classes,) probabilities.
        over_time: (L, classes) probabilities at each frame.
        rate: frames per second; None if unknown.
        first: number of the first of the L frames, from 1: 2 where there is flow alone.
        problem: what ended the video too early.
    """

    video: Video
    average: np.ndarray
    over_time: np.ndarray
    rate: float | None
    first: int = 1
    problem: str | None = None


@dataclass
class Ensemble:
    """Nets with weights.

    Args:
        nets: that speak about the same classes.
        weights: of each net.
        method: computes flow where a video has no folder of it.
        scale: grey levels per pixel of motion in it.
        rate: frames per second that are taken of video files; None: every frame.
        threads: pairs of frames whose flow is computed at once.

    Raises:
        UsageError: nets with other classes.
    """

    nets: Sequence[Recogniser]
    weights: Sequence[float]
    method: FlowMethod
    scale: float = 16.0
    rate: float | None = None
    threads: int = 1
    _made: tuple[str, dict[str, Any]] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        counts = [len(net.classes) for net in self.nets]
        if len(set(counts)) > 1:
            raise UsageError("the nets have different numbers of classes",
                             got=", ".join(map(str, counts)))

    @property
    def flow_alone(self) -> bool:
        """Whether no net looks at RGB frames."""
        return all(net.flow for net in self.nets)

    def __call__(self, video: Video, watch: Callable[[np.ndarray], None] = lambda frame: None,
                 start: Callable[[Footage], None] = lambda footage: None) -> Recognised:
        """Return what the nets say about a video.

        Args:
            video: where it is.
            watch: is shown every frame of the first net that is shown RGB, or else of flow.
            start: is given what each net is about to read.

        Raises:
            DataError: it is missing or damaged, or frames and flow do not belong together.
        """
        watched = next((net for net in self.nets if not net.flow), self.nets[0])
        average, rows, problem, rate = [], [], None, None
        for net in self.nets:
            with self._open(video, net) as footage:
                if net is watched:
                    footage.watch = watch
                start(footage)
                found = net(footage)
            average.append(found.average)
            rows.append(found.over_time)
            problem, rate = problem or footage.problem, rate or footage.rate
        first = 2 if self.flow_alone else 1
        over_time = fuse(self._aligned(rows), self.weights)
        return Recognised(video, fuse(average, self.weights), over_time, rate, first,
                          str(problem) if problem else None)

    def stream(self, frames: Footage, chunk: int) -> Iterator[np.ndarray]:
        """Yield the probabilities (classes,) at each frame of a stream; see ``Recogniser``."""
        copies = tee(frames, len(self.nets))
        rows = [self._stream(net, copy, frames, chunk)
                for net, copy in zip(self.nets, copies, strict=True)]
        for values in zip(*rows, strict=False):
            yield fuse(values, self.weights)

    def _stream(self, net: Recogniser, frames: Iterator[np.ndarray], of: Footage, chunk: int
                ) -> Iterator[np.ndarray]:
        if not net.flow:
            yield from net.stream(frames, chunk)
            return
        flow = flow_between(Footage(frames, of.rate), self.method, self.scale, net.input.resized,
                            self.threads)
        rows = net.stream(flow, chunk)
        for first in rows:
            yield from chain(() if self.flow_alone else (first,), (first,), rows)

    @contextmanager
    def _open(self, video: Video, net: Recogniser) -> Iterator[Footage]:
        """Give the block what a net looks at."""
        if net.flow and video.flow:
            yield self._alike(open_flow(video.flow), video.flow)
            return
        assert video.frames is not None
        with open_frames(video.frames, self.rate) as footage:
            if net.flow:
                footage = self._alike(flow_between(footage, self.method, self.scale,
                                                   net.input.resized, self.threads), video.frames)
            yield footage

    def _alike(self, flow: Footage, path: str) -> Footage:
        """Refuse flow that was made in another way than that of another video."""
        if flow.made:
            before = self._made = self._made or (path, flow.made)
            if flow.made != before[1]:
                raise DataError(
                    "this flow was made otherwise than that of another video", where=path,
                    got=_described(flow.made),
                    wanted=f"{_described(before[1])}, as of {before[0]}",
                    remedy="A net knows the flow that it was trained on. --flow-method and "
                           "--flow-scale say how flow is computed from video files.")
        return flow

    def _aligned(self, rows: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Give each frame its row: the first of flow, which belongs to two frames, comes twice."""
        if not self.flow_alone:
            rows = [np.concatenate([values[:1], values]) if net.flow else values
                    for net, values in zip(self.nets, rows, strict=True)]
        lengths = [len(values) for values in rows]
        if len(set(lengths)) > 1:
            raise DataError("frames and flow do not belong together",
                            got=f"frames for {' and '.join(map(str, sorted(set(lengths))))} "
                                "moments", wanted="one picture of flow fewer than frames")
        return list(rows)


def _described(made: dict[str, Any]) -> str:
    return f"{made.get('method')}, {made.get('scale')} grey levels per pixel"
