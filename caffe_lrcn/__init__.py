"""caffe_lrcn: trains and runs Caffe networks with recurrent layers.

``import caffe_lrcn as caffe`` gives pycaffe's names; they are imported when first used, so that
the command line starts fast.
"""
from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

TRAIN, TEST = 0, 1

# name -> module that defines it
_NAMES = {
    "Net": "pycaffe", "SGDSolver": "pycaffe", "get_solver": "pycaffe",
    "set_mode_cpu": "pycaffe", "set_mode_gpu": "pycaffe", "set_device": "pycaffe",
    "set_random_seed": "pycaffe", "layer_type_list": "pycaffe",
}

__all__ = ["TEST", "TRAIN", "__version__", *_NAMES]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_NAMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_NAMES])
