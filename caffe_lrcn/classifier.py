"""pycaffe's ``caffe.classifier``."""
from __future__ import annotations

from .pycaffe.classifier import Classifier

__all__ = ["Classifier"]
