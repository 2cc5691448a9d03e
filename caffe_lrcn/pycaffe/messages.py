"""Arrays in messages and back. Source: python/caffe/io.py."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ShapeError
from ..proto.caffe_pb2 import BlobProto, BlobProtoVector, Datum
from ..sources import datum as _datum

_LEGACY = ("num", "channels", "height", "width")


def blobproto_to_array(blob: BlobProto, return_diff: bool = False) -> np.ndarray:
    """Return the values (or the gradient) of a BlobProto as a float64 array.

    The shape is num, channels, height, width if any of these is set, else ``shape``.

    Raises:
        ShapeError: the values do not fill the shape.
    """
    fields = ("diff", "double_diff") if return_diff else ("data", "double_data")
    values = np.array(getattr(blob, fields[0]) or getattr(blob, fields[1]), np.float64)
    if any(blob.HasField(field) for field in _LEGACY):
        shape = tuple(getattr(blob, field) for field in _LEGACY)
    else:
        shape = tuple(blob.shape.dim)
    if values.size != np.prod(shape, dtype=int):
        raise ShapeError("the values of the BlobProto do not fill its shape",
                         got=f"{values.size} values", wanted=shape)
    return values.reshape(shape)


def array_to_blobproto(arr: np.ndarray, diff: np.ndarray | None = None) -> BlobProto:
    """Return a BlobProto with the shape and values of an array, and a gradient if given."""
    blob = BlobProto()
    blob.shape.dim.extend(arr.shape)
    blob.data.extend(np.asarray(arr, np.float32).ravel())
    if diff is not None:
        blob.diff.extend(np.asarray(diff, np.float32).ravel())
    return blob


def arraylist_to_blobprotovector_str(arraylist: Sequence[np.ndarray]) -> bytes:
    """Return arrays as the bytes of a BlobProtoVector."""
    return BlobProtoVector(blobs=map(array_to_blobproto, arraylist)).SerializeToString()


#: The name under which the LRCN branch has it.
arraylist_to_blobprotovecor_str = arraylist_to_blobprotovector_str


def blobprotovector_str_to_arraylist(str: bytes) -> list[np.ndarray]:
    """Return the arrays in the bytes of a BlobProtoVector."""
    return [blobproto_to_array(blob) for blob in BlobProtoVector.FromString(str).blobs]


def array_to_datum(arr: np.ndarray, label: int | None = None) -> Datum:
    """Return a Datum of a (C, H, W) array: bytes if it is uint8, floats otherwise.

    Raises:
        ShapeError: another number of axes.
    """
    if arr.ndim != 3:
        raise ShapeError("a Datum holds one picture", got=arr.shape,
                         wanted="(channels, height, width)")
    return _datum.array_to_datum(arr, label)


def datum_to_array(datum: Datum) -> np.ndarray:
    """Return the (C, H, W) values of a raw Datum, uint8 or float64.

    Raises:
        DataError: the picture is encoded, or the values do not fill the shape.
    """
    array = _datum.datum_to_array(datum)
    return array if array.dtype == np.uint8 else array.astype(np.float64)
