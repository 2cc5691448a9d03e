"""The few numbers that a step computes on the device, in one array: one copy brings them all home.

``status`` collects what kernels, which cannot raise, found wrong. Whoever runs a net reads it once
a step, and has the layers name what it means.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from . import Backend

#: Bits of the status word.
BAD_LABEL, BAD_INDEX, NOT_FINITE, NAN_SCORE = 1, 2, 4, 8

_STATUS, _LOSS, _SQUARES, _CLIP, _RATE, _COUNT = range(6)
_SLOTS = 6


class Reading(NamedTuple):
    """The scalars on the host.

    Args:
        status: bits, 0 if nothing is wrong.
        loss: sum of the weighted losses since it was cleared.
        squares: sum of the squared gradients.
        clip: what gradients are multiplied by.
    """

    status: int
    loss: float
    squares: float
    clip: float


class Scalars:
    """Named one-element arrays on a backend's device; every net has its own.

    ``status`` is an int32 word of bits. The others are float64: ``loss``, ``squares`` and ``clip``
    as in ``Reading``, ``rate`` the learning rate, ``count`` the number of the iteration.

    Args:
        backend: where they lie.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._array = array = backend.zeros(_SLOTS, np.float64)
        self.status = array[_STATUS:_STATUS + 1].view(np.int32)[:1]
        self.loss, self.squares, self.clip, self.rate, self.count = (
            array[slot:slot + 1] for slot in (_LOSS, _SQUARES, _CLIP, _RATE, _COUNT))
        self._begun = array[_STATUS:_LOSS + 1]
        # CUDA's kernels over NumPy arrays stand for a GPU, where looking means waiting.
        self._at_hand = self.status if backend.name == "cpu" else None

    def begin(self) -> None:
        """Clear status and loss, also of a run that an exception ended."""
        self._begun.fill(0)

    def seen(self) -> int:
        """Return the status where the host can look at it without waiting, else 0."""
        return 0 if self._at_hand is None else int(self._at_hand[0])

    def read(self) -> Reading:
        """Copy all scalars to the host at once (on a GPU this waits) and clear the status."""
        values = self._backend.download(self._array)
        status = int(values.view(np.int32)[0])
        if status:
            with self._backend.device:
                self.status.fill(0)
        return Reading(status, float(values[_LOSS]), float(values[_SQUARES]),
                       float(values[_CLIP]))
