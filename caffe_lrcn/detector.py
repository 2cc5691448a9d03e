"""pycaffe's ``caffe.detector``."""
from __future__ import annotations

from .pycaffe.detector import Detector

__all__ = ["Detector"]
