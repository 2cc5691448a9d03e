"""pycaffe's ``caffe.coord_map``."""
from __future__ import annotations

from .pycaffe.coord_map import (
    PASS_THROUGH_LAYERS,
    AxisMismatchException,
    UndefinedMapException,
    compose,
    conv_params,
    coord_map,
    coord_map_from_to,
    crop,
    crop_params,
    inverse,
)

__all__ = ["AxisMismatchException", "PASS_THROUGH_LAYERS", "UndefinedMapException", "compose",
           "conv_params", "coord_map", "coord_map_from_to", "crop", "crop_params", "inverse"]
