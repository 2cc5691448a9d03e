"""The few numbers that a step computes on the device, in one array: one copy brings them all home.

``status`` collects what kernels, which cannot raise, found wrong. Whoever runs a net reads it once
a step, and has the layers name what it means.
"""
from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Bits of the status word.
BAD_LABEL, BAD_INDEX, NOT_FINITE, NAN_SCORE = 1, 2, 4, 8

_STATUS, _LOSS, _SQUARES, _CLIP, _RATE, _COUNT = range(6)


@dataclass(frozen=True)
class Reading:
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


class _Slots(threading.local):
    def __init__(self) -> None:
        self.array: Any = None
        self.views: list[Any] = []


class Scalars:
    """Named one-element arrays on one backend's device. Each thread has its own.

    ``status`` is an int32 word of bits. The others are float64: ``loss``, ``squares`` and ``clip``
    as in ``Reading``, ``rate`` the learning rate, ``count`` the number of the iteration.

    Args:
        allocate: returns a zeroed flat float64 array of so many elements on the device.
        download: returns a device array as a NumPy array.
    """

    def __init__(self, allocate: Callable[[int], Any],
                 download: Callable[[Any], np.ndarray]) -> None:
        self._allocate, self._download, self._slots = allocate, download, _Slots()

    def _view(self, slot: int) -> Any:
        slots = self._slots
        if slots.array is None:
            slots.array = self._allocate(_COUNT + 1)
            slots.views = [slots.array[place:place + 1] for place in range(_COUNT + 1)]
            slots.views[_STATUS] = slots.views[_STATUS].view(np.int32)[:1]
        return slots.views[slot]

    status = property(lambda self: self._view(_STATUS), doc="Bits of what is wrong (1,), int32.")
    loss = property(lambda self: self._view(_LOSS), doc="Weighted losses, summed (1,).")
    squares = property(lambda self: self._view(_SQUARES), doc="Sum of squared gradients (1,).")
    clip = property(lambda self: self._view(_CLIP), doc="Factor of the gradients (1,).")
    rate = property(lambda self: self._view(_RATE), doc="Learning rate (1,).")
    count = property(lambda self: self._view(_COUNT), doc="Number of the iteration (1,).")

    def read(self) -> Reading:
        """Copy all scalars to the host at once (on a GPU this waits) and clear the status."""
        word = self.status
        values = self._download(self._slots.array)
        status = int(values[:1].view(np.int32)[0])
        if status:
            word.fill(0)
        return Reading(status, float(values[_LOSS]), float(values[_SQUARES]),
                       float(values[_CLIP]))
