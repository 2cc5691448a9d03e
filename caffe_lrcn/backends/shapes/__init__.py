"""A device without memory: arrays know shape and dtype only, so that any net can be looked at.

Source: PyTorch's meta device.
"""
from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from functools import wraps
from types import FunctionType, ModuleType
from typing import Any, NoReturn

import numpy as np

from .. import Backend
from .array import ShapeArray, refuse


class ShapesBackend(Backend):
    """A backend whose arrays are ``ShapeArray``. Its plans are empty and its ops raise."""

    @property
    def is_gpu(self) -> bool:
        """False: what exists on a GPU alone cannot be taken for granted."""
        return False

    @property
    def has_values(self) -> bool:
        """False: nothing is filled, and nothing can be computed."""
        return False

    def zeros(self, count: int, dtype: Any = None) -> Any:
        """Return a flat ``ShapeArray``."""
        return ShapeArray((count,), dtype or self.dtype)

    def upload(self, array: Any) -> Any:
        """Return the shape and dtype of ``array``."""
        given = np.asarray(array)
        return ShapeArray(given.shape, given.dtype)

    def download(self, array: Any) -> NoReturn:
        """Raise BackendError: there are no values."""
        refuse()


def open_backend(dtype: np.dtype, math: str, ops: Iterable[str]) -> ShapesBackend:
    """Return the backend.

    Args:
        dtype: type of every blob.
        math: kept, and without effect.
        ops: names of the op modules.
    """
    return ShapesBackend(name="shapes", xp=_Refusing("xp"), dtype=dtype, math=math,
                         **{name: _refusing_ops(name) for name in ops})


class _Refusing(ModuleType):
    """A module, or what its ``plan`` returns: whatever is called in it raises."""

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse()


def _refusing_ops(name: str) -> ModuleType:
    """Return the CPU's functions of an op module, with their signatures, each of which raises."""
    cpu = importlib.import_module(f"..cpu.{name}", __name__)
    module = ModuleType(f"{__name__}.{name}", cpu.__doc__)
    for key, function in vars(cpu).items():
        if (isinstance(function, FunctionType) and function.__module__ == cpu.__name__
                and not key.startswith("_")):
            setattr(module, key, _no_plan if key == "plan" else _refused(function))
    return module


def _no_plan(spec: Any, x_shape: tuple[int, ...], backend: Any) -> _Refusing:
    return _Refusing("plan")


def _refused(function: Callable[..., Any]) -> Callable[..., NoReturn]:
    @wraps(function)
    def refused(*_: Any, **__: Any) -> NoReturn:
        refuse()
    return refused
