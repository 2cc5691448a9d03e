"""pycaffe's ``caffe.net_spec``."""
from __future__ import annotations

from .pycaffe.net_spec import (
    Function,
    Layers,
    NetSpec,
    Parameters,
    Top,
    assign_proto,
    layers,
    param_name_dict,
    params,
    to_proto,
)

__all__ = ["Function", "Layers", "NetSpec", "Parameters", "Top", "assign_proto", "layers",
           "param_name_dict", "params", "to_proto"]
