"""Blobs: arrays with a gradient of the same shape, allocated when first touched."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ShapeError

if TYPE_CHECKING:
    from .backends import Backend

MAX_AXES = 32
MAX_COUNT = 2**31 - 1

# Which copy of a buffer is newest. On a CPU there is only one copy, the "device" one.
_SYNCED, _DEVICE_NEWEST, _HOST_NEWEST = range(3)


class Buffer:
    """A flat array that grows on demand, shared by every blob that aliases it.

    ``array`` lives on the backend's device. On a GPU ``host_array`` keeps a mirror that is copied
    only when somebody looks at it from the other side.
    """

    __slots__ = ("backend", "array", "mirror", "_newest")

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.array: Any = None
        self.mirror: np.ndarray | None = None
        self._newest = _SYNCED

    def ensure(self, count: int) -> None:
        """Make room for ``count`` elements; the content survives growing, new cells are zero."""
        if self.array is not None and self.array.size >= count:
            return
        if self._newest == _HOST_NEWEST:
            self._upload()
        grown = self.backend.zeros(count)
        if self.array is not None:
            with self.backend.device:
                grown[:self.array.size] = self.array
        self.array, self.mirror, self._newest = grown, None, _SYNCED

    def move(self, array: Any) -> None:
        """Keep the content in ``array`` from now on; growing leaves it again."""
        if self.array is not None:
            with self.backend.device:
                array[...] = self.device(array.size)[:array.size]
        self.array, self.mirror, self._newest = array, None, _SYNCED

    def device(self, count: int) -> Any:
        """Return the device array (at least ``count`` long) with the newest content."""
        if self.array is None or self.array.size < count:
            self.ensure(count)
        if self.mirror is not None:
            if self._newest == _HOST_NEWEST:
                self._upload()
            self._newest = _DEVICE_NEWEST
        return self.array

    def host(self, count: int) -> np.ndarray:
        """Return a writable NumPy array with the newest content and make it the newest copy."""
        self.ensure(count)
        if isinstance(self.array, np.ndarray) or not self.backend.has_values:
            return self.array
        mirror = self._fetched()
        self._newest = _HOST_NEWEST
        return mirror

    def read(self, count: int) -> np.ndarray:
        """Return a read-only NumPy array with the newest content; which copy is newest stays."""
        self.ensure(count)
        newest = self.array if isinstance(self.array, np.ndarray) else self._fetched()
        view = newest[:count]
        view.flags.writeable = False
        return view

    def _fetched(self) -> np.ndarray:
        """Return the mirror with the newest content."""
        if self.mirror is None:
            self.mirror = np.empty(self.array.size, self.array.dtype)
            self._newest = _DEVICE_NEWEST
        if self._newest == _DEVICE_NEWEST:
            self.mirror[:] = self.backend.download(self.array)
            self._newest = _SYNCED
        return self.mirror

    def _upload(self) -> None:
        with self.backend.device:
            self.array[:] = self.backend.upload(self.mirror)
        self._newest = _SYNCED


class Blob:
    """``data`` and ``diff`` of one shape; each may share its storage with other blobs.

    ``data`` and ``diff`` are arrays of the backend (NumPy or CuPy) for layers to work on. On the
    host ``read_data()`` and ``read_diff()`` are for those who look; ``host_data`` and
    ``host_diff`` are writable, and on a GPU to take one makes the host's copy the newest.
    Source: Caffe's blob.
    """

    __slots__ = ("backend", "_shape", "count", "_data", "_diff", "_data_view", "_diff_view")

    def __init__(self, backend: Backend, shape: tuple[int, ...] = ()) -> None:
        self.backend = backend
        self._data, self._diff = Buffer(backend), Buffer(backend)
        self._shape: tuple[int, ...] = (-1,)
        self._data_view: tuple[Any, Any] = (None, None)
        self._diff_view: tuple[Any, Any] = (None, None)
        self.count = 0
        self.reshape(*shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes, outermost first."""
        return self._shape

    def reshape(self, *shape: int) -> None:
        """Set the shape. Storage is enlarged when touched, never shrunk.

        Raises:
            ShapeError: a negative size, over 32 axes, or over 2**31 - 1 elements.
        """
        if shape == self._shape:
            return
        shape = tuple(map(int, shape))
        if len(shape) > MAX_AXES or min(shape, default=0) < 0:
            raise ShapeError("this is not a blob shape", got=shape,
                             wanted=f"at most {MAX_AXES} axes, none negative")
        count = math.prod(shape)
        if count > MAX_COUNT:
            raise ShapeError("the blob is too large", got=f"{shape} = {count} elements",
                             wanted=f"at most {MAX_COUNT}", remedy="Use a smaller batch.")
        self._shape, self.count = shape, count
        self._data_view = self._diff_view = (None, None)

    def reshape_like(self, other: Blob) -> None:
        """Take the shape of ``other``."""
        if other._shape != self._shape:
            self.reshape(*other._shape)

    def buffers(self) -> list[Buffer]:
        """Return the buffers of values and gradients that have been allocated."""
        return [buffer for buffer in (self._data, self._diff) if buffer.array is not None]

    @property
    def data(self) -> Any:
        """Values, as an array of the backend with this blob's shape."""
        buffer = self._data
        if buffer.mirror is not None:
            buffer.device(self.count)
        if buffer.array is None or buffer.array is not self._data_view[0]:
            array = buffer.device(self.count)
            self._data_view = (array, array[:self.count].reshape(self._shape))
        return self._data_view[1]

    @property
    def diff(self) -> Any:
        """Gradient, as an array of the backend with this blob's shape."""
        buffer = self._diff
        if buffer.mirror is not None:
            buffer.device(self.count)
        if buffer.array is None or buffer.array is not self._diff_view[0]:
            array = buffer.device(self.count)
            self._diff_view = (array, array[:self.count].reshape(self._shape))
        return self._diff_view[1]

    def read_data(self) -> np.ndarray:
        """Return the values as a read-only NumPy view; on a GPU this may wait for a copy."""
        return self._data.read(self.count).reshape(self._shape)

    def read_diff(self) -> np.ndarray:
        """Return the gradient as a read-only NumPy view; on a GPU this may wait for a copy."""
        return self._diff.read(self.count).reshape(self._shape)

    @property
    def host_data(self) -> np.ndarray:
        """Values as a writable NumPy view; on a GPU reading it synchronises."""
        return self._data.host(self.count)[:self.count].reshape(self._shape)

    @property
    def host_diff(self) -> np.ndarray:
        """Gradient as a writable NumPy view; on a GPU reading it synchronises."""
        return self._diff.host(self.count)[:self.count].reshape(self._shape)

    def share_data(self, other: Blob) -> None:
        """Use the storage of ``other``'s values from now on."""
        self._data, self._data_view = other._data, (None, None)

    def share_diff(self, other: Blob) -> None:
        """Use the storage of ``other``'s gradient from now on."""
        self._diff, self._diff_view = other._diff, (None, None)

    @property
    def flat_data(self) -> Any:
        """The flat device array that values are kept in; it may be longer than ``count``."""
        return self._data.device(self.count)

    @property
    def flat_diff(self) -> Any:
        """The flat device array that the gradient is kept in; it may be longer than ``count``."""
        return self._diff.device(self.count)

    def move_to(self, data: Any, diff: Any = None) -> None:
        """Keep values (and gradient) in flat arrays; blobs that share the storage follow."""
        self._data.move(data)
        if diff is not None:
            self._diff.move(diff)

    def shares_data_with(self, other: Blob) -> bool:
        """Tell whether both blobs' values live in the same storage."""
        return self._data is other._data

    def canonical_axis(self, axis: int) -> int:
        """Turn a possibly negative axis into one counted from the front.

        Raises:
            ShapeError: the axis is outside ``[-n, n-1]``.
        """
        axes = len(self._shape)
        if not -axes <= axis < axes:
            raise ShapeError(f"axis {axis} is out of range for a blob of shape {self._shape}",
                             wanted=f"{-axes} to {axes - 1}")
        return axis % axes

    def count_range(self, start: int = 0, end: int | None = None) -> int:
        """Return the product of the sizes of axes ``start`` to ``end`` (exclusive)."""
        count = 1
        for size in self._shape[start:end]:
            count *= size
        return count

    def legacy_shape(self, axis: int) -> int:
        """Return a size under the four-axis rule: missing trailing axes count as 1.

        Raises:
            ShapeError: the blob has more than four axes.
        """
        if len(self._shape) > 4:
            raise ShapeError("num, channels, height and width exist for up to four axes only",
                             got=self._shape)
        return self._shape[axis] if axis < len(self._shape) else 1

    num = property(lambda self: self.legacy_shape(0), doc="Size of axis 0 (legacy name).")
    channels = property(lambda self: self.legacy_shape(1), doc="Size of axis 1 (legacy name).")
    height = property(lambda self: self.legacy_shape(2), doc="Size of axis 2 (legacy name).")
    width = property(lambda self: self.legacy_shape(3), doc="Size of axis 3 (legacy name).")

    def __repr__(self) -> str:
        return f"Blob(shape={self._shape})"
