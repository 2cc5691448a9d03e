"""``Layer``: the base of layers written in Python. The engine runs them through type Python."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .common.vectors import Blob, BlobVec


class Layer:
    """The base of layers that a script defines.

    A net makes the object with its LayerParameter and sets ``param_str``, ``phase`` and ``blobs``
    before anything runs. A subclass defines ``setup`` (once), ``reshape`` (before every forward
    pass), ``forward`` and ``backward``; ``bottom`` and ``top`` are sequences of ``Blob``, and
    parameters are made in ``setup`` by ``self.blobs.add_blob(*shape)``.

    A layer that remembers something between passes can define ``state()`` (numbers, text, arrays,
    lists and dicts of them) and ``restore(state)``: snapshots then hold it, and a resumed run goes
    on exactly. Without the pair a layer that is stateful makes the run log once that resuming
    cannot be exact. A class says ``stateful = True`` or ``False``; where it does not, layers
    without bottoms count as stateful, since most of them read data.

    Source: pycaffe's Layer and python_layer.hpp.
    """

    type: str = "Python"
    #: Whether results depend on more than the bottoms, the blobs and ``param_str``.
    stateful: bool | None = None

    phase: int
    param_str: str
    blobs: BlobVec

    def __init__(self, layer_param: Any = None) -> None:
        """Subclasses need not call this."""

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Check bottoms and ``param_str``, and make parameters."""

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Set the tops' shapes."""

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Compute the tops' data."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def backward(self, top: Sequence[Blob], propagate_down: Sequence[bool],
                 bottom: Sequence[Blob]) -> None:
        """Compute diffs of the bottoms with ``propagate_down`` and add to those of ``blobs``."""
        raise NotImplementedError(f"{type(self).__name__} does not define backward")
