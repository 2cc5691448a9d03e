"""pycaffe's ``caffe.coord_map``."""
from __future__ import annotations

from .pycaffe.coord_map import *  # noqa: F403
from .pycaffe.coord_map import __all__  # noqa: F401
