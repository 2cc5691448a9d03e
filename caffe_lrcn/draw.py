"""pycaffe's ``caffe.draw``."""
from __future__ import annotations

from .pycaffe.draw import *  # noqa: F403
from .pycaffe.draw import __all__  # noqa: F401
