"""Pictures, arrays and messages: pycaffe's ``caffe.io``. Source: python/caffe/io.py."""
from __future__ import annotations

from .proto import caffe_pb2
from .pycaffe.messages import (
    array_to_blobproto,
    array_to_datum,
    arraylist_to_blobprotovecor_str,
    arraylist_to_blobprotovector_str,
    blobproto_to_array,
    blobprotovector_str_to_arraylist,
    datum_to_array,
)
from .pycaffe.pictures import flip_image, load_image, oversample, resize_image
from .pycaffe.transformer import Transformer

__all__ = [
    "Transformer", "array_to_blobproto", "array_to_datum", "arraylist_to_blobprotovecor_str",
    "arraylist_to_blobprotovector_str", "blobproto_to_array", "blobprotovector_str_to_arraylist",
    "caffe_pb2", "datum_to_array", "flip_image", "load_image", "oversample", "resize_image",
]
