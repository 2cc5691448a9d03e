"""Blobs and lists of things as scripts see them. Source: pycaffe's _caffe.cpp."""
from __future__ import annotations

from ..layer_types.common.vectors import Blob, BlobVec, RawBlobVec

__all__ = ["Blob", "BlobVec", "BoolVec", "DtypeVec", "IntVec", "LayerVec", "NetVec", "RawBlobVec",
           "StringVec"]


class LayerVec(list):
    """A list of layers."""


class StringVec(list):
    """A list of strings."""


class IntVec(list):
    """A list of integers."""


class DtypeVec(list):
    """A list of floats."""


class NetVec(list):
    """A list of nets."""


class BoolVec(list):
    """A list of flags."""
