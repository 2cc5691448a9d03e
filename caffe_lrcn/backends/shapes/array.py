"""Arrays without values."""
from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from ...errors import BackendError


def refuse() -> NoReturn:
    """Raise BackendError: somebody wants values where there are shapes only."""
    raise BackendError("the backend 'shapes' knows shapes, not values: nothing can be computed "
                       "or read there", remedy='Build the net on get_backend("cpu") to run it.')


class ShapeArray:
    """Shape and dtype of an array.

    It can be reshaped, sliced, viewed and written to; what is written must fit and is forgotten.
    To read a value, in whatever way, is an error.

    Args:
        shape: of the array.
        dtype: type of its elements.

    Raises:
        BackendError: a value is asked for.
    """

    __slots__ = ("_like",)
    __array_ufunc__ = None  # NumPy hands operators back to this class, which has none

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        # All strides are 0: one element stands for all, and NumPy checks indices and shapes.
        self._like = np.broadcast_to(np.empty((), dtype), shape)

    shape = property(lambda self: self._like.shape, doc="Sizes of the axes.")
    dtype = property(lambda self: self._like.dtype, doc="Type of the elements.")
    size = property(lambda self: self._like.size, doc="Number of elements.")
    ndim = property(lambda self: self._like.ndim, doc="Number of axes.")
    nbytes = property(lambda self: self._like.nbytes, doc="Bytes that the values would take.")

    def __len__(self) -> int:
        return len(self._like)

    def __repr__(self) -> str:
        return f"ShapeArray({self.shape}, {self.dtype})"

    def reshape(self, *shape: Any) -> ShapeArray:
        """Return an array of another shape and as many elements; one size may be -1."""
        return self._wrap(self._like.reshape(*shape))

    def transpose(self, *axes: int) -> ShapeArray:
        """Return an array with its axes in another order."""
        return self._wrap(self._like.transpose(*axes))

    def view(self, dtype: Any) -> ShapeArray:
        """Return the same bytes as another type; the last axis changes its length."""
        dtype = np.dtype(dtype)
        last = self.shape[-1] * self.dtype.itemsize // dtype.itemsize
        return ShapeArray((*self.shape[:-1], last), dtype)

    def fill(self, value: Any) -> None:
        """Do nothing."""

    def __getitem__(self, key: Any) -> ShapeArray:
        return self._wrap(np.asarray(self._like[key]))

    def __setitem__(self, key: Any, value: Any) -> None:
        target, given = np.shape(self._like[key]), getattr(value, "shape", ())
        if np.broadcast_shapes(target, given) != target:
            raise ValueError(f"shape {given} does not fit into {target}")

    def _wrap(self, like: np.ndarray) -> ShapeArray:
        return ShapeArray(like.shape, like.dtype)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        refuse()

    __array__ = __bool__ = __float__ = __int__ = __index__ = __iter__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = _refuse
    __truediv__ = __rtruediv__ = __pow__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __eq__ = __ne__ = _refuse  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]
