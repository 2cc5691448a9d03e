"""Datum messages: pictures and labels as records of a database."""
from __future__ import annotations

import numpy as np
from google.protobuf.message import DecodeError

from ..errors import DataError
from ..proto.caffe_pb2 import Datum
from .picture import decode_picture


def parse_datum(content: bytes) -> Datum:
    """Return the Datum that was stored as these bytes.

    Raises:
        DataError: the bytes are not a Datum, or a raw one whose values do not fill its shape.
    """
    datum = _parse(content)
    if not datum.encoded:
        _check_size(datum, len(datum.data))
    return datum


def parse_picture(content: bytes, color: bool | None = None) -> tuple[np.ndarray, Datum]:
    """Return the picture of the Datum that was stored as these bytes, and the Datum.

    Args:
        content: the bytes.
        color: as for ``pixels``.

    Raises:
        DataError: as ``parse_datum`` and ``pixels``.
    """
    datum = _parse(content)
    return pixels(datum, color), datum


def datum_to_array(datum: Datum) -> np.ndarray:
    """Return the values of a raw Datum: (C, H, W), uint8 or float32.

    Raises:
        DataError: the picture is encoded, or the values do not fill the shape.

    Source: Caffe data_transformer.cpp, python/caffe/io.py.
    """
    if datum.encoded:
        raise DataError("the Datum holds an encoded picture", remedy="Decode it with pixels().")
    return _values(datum)


def array_to_datum(array: np.ndarray, label: int | None = None) -> Datum:
    """Return a raw Datum of a (C, H, W) array: bytes if it is uint8, floats otherwise.

    Raises:
        DataError: the array has no values, or another number of axes.

    Source: Caffe python/caffe/io.py.
    """
    if array.ndim != 3 or not array.size:
        raise DataError("a Datum holds one picture", got=f"shape {array.shape}",
                        wanted="(channels, height, width)")
    datum = Datum(channels=array.shape[0], height=array.shape[1], width=array.shape[2])
    if array.dtype == np.uint8:
        datum.data = array.tobytes()
    else:
        datum.float_data.extend(array.astype(np.float32, copy=False).ravel())
    if label is not None:
        datum.label = int(label)
    return datum


def pixels(datum: Datum, color: bool | None = None) -> np.ndarray:
    """Return a Datum's picture as (H, W, C), BGR or grey.

    Args:
        datum: raw or encoded.
        color: True or False decode to colour or grey; None keeps the channels of the file. Raw
            pictures are as they are stored, whatever this is.

    Raises:
        DataError: the picture cannot be decoded, or raw values do not fill the shape.
    """
    if datum.encoded:
        return decode_picture(datum.data, color)
    return _values(datum).transpose(1, 2, 0)


def _parse(content: bytes) -> Datum:
    datum = Datum()
    try:
        datum.ParseFromString(content)
    except DecodeError:
        raise DataError("this is not a Datum", got=f"{len(content)} bytes") from None
    return datum


def _values(datum: Datum) -> np.ndarray:
    data = datum.data  # copied each time it is looked at
    shape = _check_size(datum, len(data))
    values = np.frombuffer(data, np.uint8) if data else np.array(datum.float_data, np.float32)
    return values.reshape(shape)


def _check_size(datum: Datum, count: int) -> tuple[int, int, int]:
    """Return the shape of a raw Datum with so many bytes of data, or else with floats."""
    shape = datum.channels, datum.height, datum.width
    count = count or len(datum.float_data)
    if min(shape) < 1 or shape[0] * shape[1] * shape[2] != count:
        raise DataError("the Datum's values do not fill its shape", got=f"{count} values",
                        wanted="channels {} x height {} x width {}".format(*shape))
    return shape
