"""Blobs, parameters and layers by name."""
from __future__ import annotations

from collections import OrderedDict
from typing import NoReturn, TypeVar

import numpy as np

from ..errors import MissingKeyError, UsageError
from ..hints import did_you_mean, nearest

_T = TypeVar("_T")
_MOST = 12  # names in an error


class ByName(OrderedDict[str, _T]):
    """What a net has, by name; ``kind`` says what it is in errors.

    Raises:
        MissingKeyError: there is nothing of this name; it is a KeyError.
        UsageError: numbers are put in the place of a blob.
    """

    kind = "blob"
    empty: tuple[str, ...] = ()  # names of layers that have none of this kind

    @classmethod
    def of(cls, kind: str, items: object, empty: tuple[str, ...] = ()) -> ByName[_T]:
        """Return what `items`, pairs of name and value, say."""
        made = cls(items)  # type: ignore[call-overload]
        made.kind, made.empty = kind, empty
        return made

    def __missing__(self, name: str) -> NoReturn:
        if name in self.empty:
            raise MissingKeyError("this layer has no parameters", layer=name,
                                  remedy=f"Layers that have some: {self._listed()}")
        raise MissingKeyError(f"the net has no {self.kind} '{name}'", remedy=did_you_mean(
            nearest(str(name), self)) or f"It has {self._listed()}")

    def __setitem__(self, name: str, value: _T) -> None:
        if isinstance(value, (np.ndarray, np.generic, int, float, list)):
            raise UsageError(f"'{name}' holds blobs, and numbers cannot take their place",
                             got=type(value).__name__,
                             remedy="Write .data[...] = values behind the blob to fill it")
        super().__setitem__(name, value)

    def _listed(self) -> str:
        names = list(self)
        return ", ".join(names[:_MOST]) + (", …" if len(names) > _MOST else "")
