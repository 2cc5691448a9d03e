"""From the frames of a video to one prediction: windows, crops, averages and fusion.

Everything here works on arrays and knows no net. K is the number of crops of a frame: 1 or 10.

Source: classify_video.py of the LRCN activity scripts; paper, section 4.
"""
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from ...errors import DataError, ShapeError, UsageError

SIZE, STRIDE = 16, 8
#: Names of the paper's weights of an RGB net and a flow net.
FUSIONS: Mapping[str, tuple[float, ...]] = {"average": (1 / 2, 1 / 2), "third": (1 / 3, 2 / 3)}
CROPS: Mapping[str, int] = {"center": 1, "10": 10}
_T = TypeVar("_T")
_RED = 2  # of B, G, R: a picture of flow has the motion to the right there


def windows(length: int, size: int = SIZE, stride: int = STRIDE,
            faithful: bool = False) -> list[list[int]]:
    """Return the windows of a video as lists of its frames' numbers, from 0.

    A video shorter than a window is one shorter window; ``filled`` lengthens it for a net that
    takes windows of one size only.

    Args:
        length: number of frames.
        size, stride: frames of a window, and from one window's start to the next.
        faithful: as in the original, one window for each multiple of ``stride`` below ``length``:
            each that would reach the last frame or go beyond it becomes the last ``size`` frames,
            so these count more than once.

    Raises:
        UsageError: a number that is not positive, or a stride that leaves frames out.
    """
    if min(length, size, stride) < 1 or stride > size:
        raise UsageError("a video cannot be cut like this",
                         got=f"{length} frames, windows of {size}, stride {stride}",
                         wanted="positive numbers, and a stride that is at most a window")
    if length < size:
        return [list(range(length))]
    tail = length - size
    if faithful:  # CAFFE-QUIRK: the last window comes twice for size 16 and stride 8
        starts = [start if start < tail else tail for start in range(0, length, stride)]
    else:
        starts = [*range(0, tail, stride), tail]
    return [list(range(start, start + size)) for start in starts]


def filled(window: Sequence[_T], size: int = SIZE) -> list[_T]:
    """Return a window whose last frame is repeated up to ``size`` frames.

    What a net says about the repeated frames is to be left out of averages: its first
    ``len(window)`` steps do not depend on them.
    """
    return [*window, *[window[-1]] * (size - len(window))]


def crops(frames: np.ndarray, height: int, width: int, mode: str = "center",
          flow: bool = False) -> np.ndarray:
    """Return the crops of frames: the centre, or corners and centre, and these mirrored.

    The order of 10: top left, top right, bottom left, bottom right, centre, then the same
    mirrored. Frame by frame, so that (T, K) is the order of a net's (T, N) batch.

    Args:
        frames: (T, H, W, C); pictures of flow from 0 to 255 and BGR, as files hold them.
        height, width: of a crop, pixels.
        mode: ``center`` or ``10``.
        flow: mirroring turns the motion to the right around too.

    Returns:
        (T, K, height, width, C), K = 1 or 10.

    Raises:
        ShapeError: the frames are smaller than a crop.
        UsageError: an unknown mode.
    """
    if mode not in CROPS:
        raise UsageError("unknown crops", got=mode, wanted=", ".join(CROPS))
    down, right = frames.shape[1] - height, frames.shape[2] - width
    if min(down, right) < 0:
        raise ShapeError("the frames are smaller than the crop",
                         got=f"{frames.shape[1]}x{frames.shape[2]}", wanted=f"{height}x{width}",
                         remedy="Resize the frames, such as to 240x320.")
    places = [(down // 2, right // 2)]
    if mode == "10":
        places = [(0, 0), (0, right), (down, 0), (down, right), *places]
    cut = np.stack([frames[:, y:y + height, x:x + width] for y, x in places], axis=1)
    return cut if mode == "center" else np.concatenate([cut, mirrored(cut, flow)], axis=1)


def mirrored(pictures: np.ndarray, flow: bool = False) -> np.ndarray:
    """Return pictures with left and right exchanged.

    In a picture of flow, 128 in the red channel means no motion to the right; v becomes 256 - v,
    at most 255.

    Args:
        pictures: (…, H, W, C); pictures of flow from 0 to 255 and BGR.
        flow: they show flow.
    """
    turned = pictures[..., ::-1, :]
    if not flow:
        return turned
    turned = turned.copy()
    red = turned[..., _RED]
    turned[..., _RED] = np.minimum(256 - red.astype(np.result_type(red, np.int16)), 255)
    return turned


def average(probabilities: Sequence[np.ndarray]) -> np.ndarray:
    """Return the probabilities of a video: the mean over crops and all frames of all windows.

    Args:
        probabilities: of each window: (T, K, classes), or (T, classes) for one crop; T may differ.

    Returns:
        (classes,) float64.

    Raises:
        DataError: there are no windows.
    """
    if not len(probabilities):
        raise DataError("there are no probabilities to average")
    return np.concatenate([_over_crops(window) for window in probabilities]).mean(axis=0)


def over_time(length: int, frames: Sequence[Sequence[int]],
              probabilities: Sequence[np.ndarray]) -> np.ndarray:
    """Return the probabilities at each frame: the mean over crops and over the windows with it.

    Args:
        length: number of frames.
        frames: the windows that ``windows`` returned.
        probabilities: of each window, as for ``average``.

    Returns:
        (length, classes) float64; NaN at frames that lie in no window.

    Raises:
        ShapeError: a window has more or fewer probabilities than frames.
    """
    total = np.zeros((length, np.shape(probabilities[0])[-1]))
    count = np.zeros((length, 1))
    for window, values in zip(frames, probabilities, strict=True):
        if len(window) != len(values):
            raise ShapeError("a window has other probabilities than frames", got=len(values),
                             wanted=len(window))
        np.add.at(total, list(window), _over_crops(values))
        np.add.at(count, list(window), 1)
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _over_crops(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, np.float64)
    return values.mean(axis=1) if values.ndim == 3 else values


def fuse(probabilities: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Return the weighted mean of what several nets say.

    Args:
        probabilities: of each net, arrays of one shape.
        weights: of each net, none negative, not all 0; they are divided by their sum.

    Raises:
        UsageError: weights that do not fit.
        ShapeError: shapes that differ.
    """
    if len(weights) != len(probabilities):
        raise UsageError("there must be one weight for each net", got=f"{len(weights)} weights",
                         wanted=len(probabilities))
    if not all(0 <= weight < math.inf for weight in weights) or not 0 < sum(weights) < math.inf:
        raise UsageError("weights of nets must be finite, not negative, and not all 0",
                         got=", ".join(map(str, weights)))
    shapes = {np.shape(values) for values in probabilities}
    if len(shapes) > 1:
        raise ShapeError("the nets do not speak about the same frames and classes",
                         got=" and ".join(map(str, sorted(shapes))))
    return np.average(np.asarray(probabilities, np.float64), axis=0, weights=weights)


def read_weights(text: str, nets: int) -> tuple[float, ...]:
    """Return the weights that a name or a list such as ``1,2`` or ``1/3,2/3`` stands for.

    ``average`` means equal weights for any number of nets.

    Args:
        text: a name of ``FUSIONS``, or numbers separated by commas.
        nets: how many there are.

    Raises:
        UsageError: an unknown name, or another number of weights than nets.
    """
    if text == "average":
        return (1 / nets,) * nets
    try:
        weights = FUSIONS.get(text) or tuple(map(_number, text.split(",")))
    except (ValueError, ZeroDivisionError):
        raise UsageError("unknown weights of nets", got=text,
                         wanted=f"{', '.join(FUSIONS)}, or numbers such as 1,2") from None
    if len(weights) != nets:
        raise UsageError("there must be one weight for each net",
                         got=f"{text}: {len(weights)} weights", wanted=nets)
    return weights


def _number(text: str) -> float:
    above, _, below = text.partition("/")
    return float(above) / float(below or 1)
