"""The names of pycaffe's compiled module, for scripts that import from ``caffe._caffe``."""
from __future__ import annotations

from . import __version__
from .pycaffe import *  # noqa: F403
from .pycaffe import __all__ as _names

__all__ = ["__version__", *_names]
