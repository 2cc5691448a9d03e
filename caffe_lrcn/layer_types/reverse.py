"""Reverse: each sequence backwards, for recurrent nets that read in both directions."""
from __future__ import annotations

from typing import Any

import numpy as np

from ..blob import Blob
from ..errors import LabelError, NetError, ShapeError
from .base import Layer, exactly
from .common.recurrent_checks import check_cont


class Reverse(Layer):
    """Turn each stream's sequences round in time, each within its own limits.

    Bottoms: x (T, N, ...) and cont (T, N), which is 0 where a sequence begins; top: the shape of
    x. A sequence of steps s to e gives ``y[s + k] = x[e - k]`` in its stream, so the same cont
    fits the top, and a second Reverse undoes the first. Every sequence must begin in the batch it
    ends in; padding with cont 0 stays where it is. Not a layer of Caffe's.

    Raises:
        ShapeError: fewer than two axes, or a cont of another shape.
        LabelError: a sequence that began in an earlier batch.
        NetError: the gradient of cont is asked for.

    Source: Schuster and Paliwal, "Bidirectional recurrent neural networks".
    """

    bottoms = exactly(2)
    allows_in_place = False
    capturable = False

    def allow_force_backward(self, bottom: int) -> bool:
        return bottom == 0

    def setup(self, bottom: list[Blob], top: list[Blob]) -> None:
        self._index = Blob(self.backend)  # which row of x each row of the top is
        self._going_on = np.empty((0, 0), bool)
        self._limits = np.empty((2, 0, 0), np.intp)

    def reshape(self, bottom: list[Blob], top: list[Blob]) -> None:
        shape = bottom[0].shape
        if len(shape) < 2:
            raise self.error(ShapeError, "the input must begin with time steps and streams",
                             got=shape, wanted="(T, N, ...)", at=("bottom", 0))
        check_cont(self, shape, bottom[1].shape)
        self._index.reshape(*shape[:2])
        self._rows = shape[0] * shape[1], bottom[0].count_range(2)
        if self._going_on.shape != shape[:2]:
            self._going_on = np.empty(shape[:2], bool)
            self._limits = np.empty((2, *shape[:2]), np.intp)
        top[0].reshape_like(bottom[0])

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        going_on, streams = self._going_on, bottom[0].shape[1]
        np.not_equal(self.backend.download(bottom[1].data), 0, out=going_on)
        self._check_beginnings(going_on)
        index = _mirrored(going_on, *self._limits)
        index *= streams
        index += np.arange(streams)
        self._index.host_data[...] = index
        self._turn(bottom[0].data, top[0].data)

    def backward(self, top: list[Blob], propagate_down: list[bool], bottom: list[Blob]) -> None:
        if propagate_down[1]:
            raise self.error(NetError, "cont has no gradient", at=("bottom", 1),
                             remedy="Let it come from data, or set propagate_down: false for it.")
        if propagate_down[0]:
            self._turn(top[0].diff, bottom[0].diff)

    def _turn(self, x: Any, y: Any) -> None:
        """Write the rows of x in the order of the index: a table look-up."""
        if x.size:
            self.backend.embed.forward(self._index.data, x.reshape(self._rows), None,
                                       y.reshape(self._rows), -1, self.context.scalars.status,
                                       self.backend.scratch)

    def _check_beginnings(self, going_on: np.ndarray) -> None:
        if going_on[:1].any():
            stream = int(going_on[0].argmax())
            raise self.error(
                LabelError, f"the sequence in stream {stream} began in an earlier batch",
                at=("bottom", 1), got="cont not 0 at step 0", wanted="0 in all streams",
                remedy="Reverse needs whole sequences: let each batch begin new ones, with a T "
                       "that holds the longest.")


def _mirrored(going_on: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Return, for each step and stream (T, N), the step of the same sequence counted from its end.

    Args:
        going_on: (T, N), false where a sequence begins.
        first, last: (T, N), overwritten.
    """
    steps = np.arange(len(going_on))[:, None]
    first[...] = last[...] = steps
    # A sequence ends before the next beginning, the last one with the batch.
    for begin, end in zip(range(1, len(first)), range(len(first) - 2, -1, -1), strict=True):
        np.copyto(first[begin], first[begin - 1], where=going_on[begin])
        np.copyto(last[end], last[end + 1], where=going_on[end + 1])
    first += last
    first -= steps
    return first
