"""The learnable parameters of a net in flat arrays, so that one call serves all of them."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import is_
from typing import Any

from .backends import Backend
from .backends.parameters import Parameters, Segment
from .blob import Blob

#: Every parameter begins at a multiple of this many elements: 256 bytes of float32.
_UNIT = 64


class Arena:
    """Values, gradients and histories of learnable parameters, in one flat array for each kind.

    Until ``bind`` is called every parameter keeps storage of its own, as in a net that is not
    trained. A parameter that a user reshapes, or lets share another blob's storage, leaves the
    flat arrays and is worked on by itself.

    Args:
        backend: where the blobs live.
        blobs: the learnable parameters; no two share storage.
        rates, decays: their multipliers of the learning rate and of the weight decay.

    ``history`` has a blob for each parameter and each history of the rule: all first histories,
    then all second ones, the order of Caffe's solver states.
    """

    def __init__(self, backend: Backend, blobs: Sequence[Blob], rates: Sequence[float],
                 decays: Sequence[float]) -> None:
        self.backend, self.blobs, self.history = backend, list(blobs), list[Blob]()
        self._multipliers = list(zip(rates, decays, strict=True))
        self._whole = Parameters(None, None, (), ())
        # For each parameter its size and arrays: those in the arena, and those found last.
        self._slots: list[tuple[Any, ...]] = []
        self._seen: list[tuple[Any, ...]] = []
        self._histories: list[list[Blob]] = [[] for _ in self.blobs]
        self._parts: list[Parameters] = []

    def bind(self, histories: int) -> None:
        """Move the parameters into flat arrays and make as many histories of zeros for each.

        NumPy views of a parameter that were taken before show the storage that it left.
        """
        segments, end = [], 0
        for blob, multipliers in zip(self.blobs, self._multipliers, strict=True):
            segments.append(Segment(end, end + blob.count, *multipliers))
            end += -(-blob.count // _UNIT) * _UNIT
        arrays = [self.backend.zeros(end) for _ in range(2 + histories)]
        self._whole = Parameters(arrays[0], arrays[1], tuple(arrays[2:]), tuple(segments))
        self.history = [Blob(self.backend, blob.shape) for _ in range(histories)
                        for blob in self.blobs]
        self._histories = [self.history[index::len(self.blobs)]
                           for index in range(len(self.blobs))]
        for blob, segment, own in zip(self.blobs, segments, self._histories, strict=True):
            slot = [array[segment.start:segment.stop] for array in arrays]
            blob.move_to(slot[0], slot[1])
            for history, array in zip(own, slot[2:], strict=True):
                history.move_to(array)
            self._slots.append((blob.count, *slot))

    def clear(self) -> None:
        """Set all gradients to zero."""
        for part in self.parts():
            part.diff.fill(0)

    def parts(self) -> list[Parameters]:
        """Return the arena and, each by itself, the parameters outside it.

        On a GPU what a user wrote into a parameter's NumPy view is on the device then.
        """
        seen = [_arrays(*found) for found in zip(self.blobs, self._histories, strict=True)]
        if not self._seen or not all(map(_same, seen, self._seen)):
            self._parts, self._seen = self._divide(seen), seen
        return self._parts

    def _divide(self, found: list[tuple[Any, ...]]) -> list[Parameters]:
        inside = [bool(self._slots) and _same(arrays, slot)
                  for arrays, slot in zip(found, self._slots or found, strict=True)]
        members = tuple(segment for segment, member in zip(self._whole.segments, inside,
                                                           strict=False) if member)
        parts = [replace(self._whole, segments=members, tables=None)] if members else []
        for arrays, member, multipliers in zip(found, inside, self._multipliers, strict=True):
            if not member:
                count, weight, diff, *history = (arrays[0], *(a[:arrays[0]] for a in arrays[1:]))
                parts.append(Parameters(weight, diff, tuple(history),
                                        (Segment(0, count, *multipliers),)))
        return parts


def _arrays(blob: Blob, histories: list[Blob]) -> tuple[Any, ...]:
    arrays = [blob.count, blob.flat_data, blob.flat_diff]
    for history in histories:
        history.reshape_like(blob)
        arrays.append(history.flat_data)
    return tuple(arrays)


def _same(arrays: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    return arrays[0] == others[0] and all(map(is_, arrays[1:], others[1:]))
