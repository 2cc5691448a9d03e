"""What an update rule works on: parameters side by side in flat arrays, and a rule's numbers."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Segment:
    """The elements ``start`` to ``stop`` (exclusive) of flat arrays: one parameter.

    ``rate`` multiplies the learning rate, ``decay`` the weight decay.
    """

    start: int
    stop: int
    rate: float = 1.0
    decay: float = 1.0


@dataclass
class Parameters:
    """Flat arrays of one size on one device; elements outside the segments are left alone.

    ``history`` has as many arrays as the rule remembers values for each weight.
    """

    weight: Any
    diff: Any
    history: tuple[Any, ...]
    segments: tuple[Segment, ...]
    #: What the CUDA ops derive from the segments, kept on the device.
    tables: Any = field(default=None, repr=False)


class UpdateSpec(NamedTuple):
    """The numbers of a solver definition that the rules read.

    ``scale`` turns a sum over iter_size passes into their mean; ``l2`` and ``l1`` are the weight
    decay of the two kinds of regularisation; one of them is 0.
    """

    momentum: float = 0.0
    momentum2: float = 0.0
    rms_decay: float = 0.0
    delta: float = 0.0
    scale: float = 1.0
    l2: float = 0.0
    l1: float = 0.0
