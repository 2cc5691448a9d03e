"""Blobs as scripts, and layers that they define, see them. Source: pycaffe's _caffe.cpp."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np

from ... import blob as engine_blob
from ...backends import Backend
from ...errors import MissingNameError


class Blob:
    """A blob as scripts see it: ``data`` and ``diff`` are writable NumPy views.

    On a CPU a held view stays live until the blob outgrows its storage; on a GPU reading
    ``data`` or ``diff`` makes the host copy current and the newest.
    """

    __slots__ = ("_blob",)

    def __init__(self, blob: engine_blob.Blob) -> None:
        self._blob = blob

    @property
    def data(self) -> np.ndarray:
        """Values, as a NumPy view."""
        return self._blob.host_data

    @property
    def diff(self) -> np.ndarray:
        """Gradient, as a NumPy view."""
        return self._blob.host_diff

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("data", "diff"):
            raise MissingNameError(f"a blob's {name} is filled, not replaced",
                                   remedy=f"Write blob.{name}[...] = values")
        super().__setattr__(name, value)

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return self._blob.shape

    @property
    def count(self) -> int:
        """Number of elements."""
        return self._blob.count

    num = property(lambda self: self._blob.num, doc="Size of axis 0 (legacy name).")
    channels = property(lambda self: self._blob.channels, doc="Size of axis 1 (legacy name).")
    height = property(lambda self: self._blob.height, doc="Size of axis 2 (legacy name).")
    width = property(lambda self: self._blob.width, doc="Size of axis 3 (legacy name).")

    def reshape(self, *shape: int) -> None:
        """Set the shape; no arguments make a scalar."""
        self._blob.reshape(*shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Blob) and self._blob is other._blob

    def __hash__(self) -> int:
        return hash(self._blob)

    def __repr__(self) -> str:
        return f"Blob(shape={self.shape})"


class RawBlobVec(Sequence):
    """A layer's bottoms or tops: a sequence of ``Blob``."""

    def __init__(self, blobs: list[engine_blob.Blob]) -> None:
        self._blobs = blobs

    def __len__(self) -> int:
        return len(self._blobs)

    @overload
    def __getitem__(self, index: int) -> Blob: ...
    @overload
    def __getitem__(self, index: slice) -> list[Blob]: ...
    def __getitem__(self, index: int | slice) -> Blob | list[Blob]:
        if isinstance(index, slice):
            return [Blob(blob) for blob in self._blobs[index]]
        return Blob(self._blobs[index])

    def __iter__(self) -> Iterator[Blob]:
        return map(Blob, self._blobs)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self)})"


class BlobVec(RawBlobVec):
    """A layer's parameters: a sequence of ``Blob`` to which a Python layer adds its own."""

    def __init__(self, blobs: list[engine_blob.Blob], backend: Backend) -> None:
        super().__init__(blobs)
        self._backend = backend

    def add_blob(self, *shape: int) -> None:
        """Append a blob of zeros.

        Raises:
            ShapeError: this is not a shape.
        """
        self._blobs.append(engine_blob.Blob(self._backend, shape))


def raw(blobs: Any) -> list[engine_blob.Blob]:
    """Return the engine's blobs behind any sequence of ``Blob``."""
    return [blob._blob for blob in blobs]
