"""Sentences about videos from their features, with S2VT or with mean pooling.

Source: s2vt_captioner.py; unlike it many videos are described at once, every word of every search
goes on from the state of the word before, and what stands for "no frame" is zeros.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ...errors import NetError, ShapeError
from ...language.context import Context, Given
from ...language.hypothesis import Hypothesis
from ...language.step_net import StepNet
from .feature_files import Features, pooled

#: Videos whose features are in the memory at once.
_BATCH = 256

Search = Callable[[Given, int], list[list[Hypothesis]]]


def describe_features(net: StepNet, features: Features, videos: Sequence[str],
                      search: Search) -> Iterator[tuple[str, list[Hypothesis]]]:
    """Yield each video with its sentences, best first.

    Args:
        net: of S2VT: one step, with an input for features and one that tells whether frames or
            words go on; or of mean pooling: an input for features only.
        features: of the videos.
        videos: their names.
        search: what some sentences are about, and the number of the first of them -> their
            hypotheses, as the methods of ``Decoder`` return them.

    Raises:
        NetError: the net is neither of these.
        ShapeError: the features have another width than the net takes.
        DataError: features are damaged.
    """
    check_width(net, features)
    for start in range(0, len(videos), _BATCH):
        part = videos[start:start + _BATCH]
        yield from zip(part, search(video_context(net, features, part), start), strict=True)


def video_context(net: StepNet, features: Features, videos: Sequence[str]) -> Context:
    """Return what the net is to know of some videos; arguments and errors as above.

    S2VT reads all frames of a video, however many there are. While words are written it sees zeros.
    """
    frames, stage = _inputs(net)
    count = len(videos)
    if stage is None:
        return Context(count, {frames: pooled(features, videos)})
    read = [features.read(video) for video in videos]
    return Context(count, {frames: np.zeros((count, features.width), np.float32),
                           stage: np.ones(count)},
                   {frames: read, stage: [np.zeros(len(values)) for values in read]})


def reads_frames(net: StepNet) -> bool:
    """Tell whether a net reads frame by frame, as S2VT does."""
    return _inputs(net)[1] is not None


def check_width(net: StepNet, features: Features) -> None:
    """See that a net takes features of this width.

    Raises:
        ShapeError: it does not.
    """
    (width,) = net.inputs.rest[_inputs(net)[0]]
    if features.width != width:
        raise ShapeError("the features do not fit the net", where=features.path,
                         got=f"{features.width} numbers a frame", wanted=width,
                         remedy="Take those of the convnet whose features the net was trained "
                                "with.")


def _inputs(net: StepNet) -> tuple[str, str | None]:
    """Return the inputs that take features, and the stage if there is such an input."""
    rest = net.inputs.rest
    frames = [name for name, shape in rest.items() if len(shape) == 1]
    stages = [name for name, shape in rest.items() if shape == ()]
    if len(frames) != 1 or len(stages) > 1 or len(rest) != len(frames) + len(stages):
        raise NetError("this net does not describe videos by their features",
                       got=f"inputs {', '.join(f'{name} {shape}' for name, shape in rest.items())}",
                       wanted="features (W), and for S2VT a stage indicator ()")
    return frames[0], stages[0] if stages else None
