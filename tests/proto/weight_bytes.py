"""Helpers that put weight files together byte by byte, as old programs wrote them."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.wire import FIXED32, Wire, encode_bytes, encode_tag, encode_varint

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def wire(data: bytes) -> Wire:
    return Wire(memoryview(data), "f")


def blob(values, shape=None, **fields) -> caffe_pb2.BlobProto:
    """A BlobProto with float data and, unless legacy fields are given, a shape."""
    message = caffe_pb2.BlobProto(data=np.ravel(values).tolist(), **fields)
    if not fields:
        message.shape.dim.extend(np.shape(values) if shape is None else shape)
    return message


def unpacked(values) -> bytes:
    """A BlobProto of one axis whose data has a tag before each number."""
    tag = encode_tag(5, FIXED32)
    data = b"".join(tag + value.tobytes() for value in np.asarray(values, "<f4"))
    return data + encode_bytes(7, b"\x08" + encode_varint(len(values)))


def layer_bytes(name: str, kind: str, own_number: int | None = None, own: bytes = b"",
                blobs=((1.0, 2.0),)) -> bytes:
    """NetParameter bytes of one V2 layer whose own parameters have this field number."""
    body = encode_bytes(1, name.encode()) + encode_bytes(2, kind.encode())
    if own_number:
        body += encode_bytes(own_number, own)
    for values in blobs:
        body += encode_bytes(7, blob(values).SerializeToString())
    return encode_bytes(100, body)
