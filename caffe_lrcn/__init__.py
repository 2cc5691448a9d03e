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
    "AdaDeltaSolver": "pycaffe", "AdaGradSolver": "pycaffe", "AdamSolver": "pycaffe",
    "NesterovSolver": "pycaffe", "RMSPropSolver": "pycaffe", "SGDSolver": "pycaffe",
    "Solver": "pycaffe", "get_solver": "pycaffe",
    "Net": "pycaffe", "Layer": "layer_types.user_layer", "NCCL": "pycaffe", "Timer": "pycaffe",
    "set_mode_cpu": "pycaffe", "set_mode_gpu": "pycaffe", "set_device": "pycaffe",
    "set_random_seed": "pycaffe", "set_multiprocess": "pycaffe", "has_nccl": "pycaffe",
    "set_solver_count": "pycaffe", "solver_count": "pycaffe", "set_solver_rank": "pycaffe",
    "solver_rank": "pycaffe", "layer_type_list": "pycaffe", "init_log": "pycaffe", "log": "pycaffe",
    "NetSpec": "net_spec", "layers": "net_spec", "params": "net_spec", "to_proto": "net_spec",
    "Classifier": "classifier", "Detector": "detector",
}
# name -> module to import, after which the name is there
_MODULES = {
    "classifier": "classifier", "coord_map": "coord_map", "detector": "detector", "draw": "draw",
    "io": "io", "net_spec": "net_spec", "proto": "proto.caffe_pb2",
    "pycaffe": "pycaffe", "_caffe": "_caffe",
}

__all__ = ["TEST", "TRAIN", "__version__", *_NAMES, *(n for n in _MODULES if n[0] != "_")]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        value = getattr(importlib.import_module(f".{_NAMES[name]}", __name__), name)
    elif name in _MODULES:
        importlib.import_module(f".{_MODULES[name]}", __name__)
        value = importlib.import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_NAMES, *_MODULES])
