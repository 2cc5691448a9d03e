"""pycaffe's ``caffe.net_spec``."""
from __future__ import annotations

from .pycaffe.net_spec import *  # noqa: F403
from .pycaffe.net_spec import __all__  # noqa: F401
