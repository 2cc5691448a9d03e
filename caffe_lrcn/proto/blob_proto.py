"""Arrays in BlobProto messages: weights, solver histories, image means."""
from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from caffe_lrcn.errors import DataError, WeightsError
from caffe_lrcn.files import new_file
from caffe_lrcn.proto.file_kinds import ARRAY, HEAD_BYTES, OTHER, kind_of
from caffe_lrcn.proto.wire import (
    LEN,
    VARINT,
    Field,
    Wire,
    encode_bytes,
    encode_header,
    encode_varint,
    open_wire,
)

MAX_BLOBS = 1_000_000  # in one file; keeps the memory for a hostile file near the file's size
_MAX_AXES = 32
_MAX_COUNT = 2**40

# Field numbers of BlobProto; those below 5 are the legacy dimensions.
_DATA, _DIFF, _SHAPE, _DOUBLE_DATA, _DOUBLE_DIFF = 5, 6, 7, 8, 9
_FLOAT_FIELDS = {_DATA: "<f4", _DIFF: "<f4", _DOUBLE_DATA: "<f8", _DOUBLE_DIFF: "<f8"}
_FIELDS_OF = {np.dtype("f4"): (_DATA, _DIFF), np.dtype("f8"): (_DOUBLE_DATA, _DOUBLE_DIFF)}


@dataclass
class StoredBlob:
    """An array from a file, and its gradient if the file has one.

    `legacy_shape` is true where the shape is num, channels, height, width of an old file: always
    four axes, to be compared with a blob's shape aligned at the right.
    """

    data: np.ndarray
    diff: np.ndarray | None = None
    legacy_shape: bool = False


class _Pieces:
    """Numbers of a repeated field that may come in several pieces."""

    def __init__(self) -> None:
        self._first: np.ndarray | None = None
        self._rest = bytearray()

    def add(self, piece: np.ndarray) -> None:
        if piece.size and self._first is None:
            self._first = piece
        else:
            self._rest += piece.tobytes()

    def join(self, dtype: str) -> np.ndarray:
        """Return a copy of all numbers, native and contiguous."""
        rest = np.frombuffer(self._rest, dtype)
        first = rest[:0] if self._first is None else self._first
        native = np.dtype(dtype).newbyteorder("=")
        if not rest.size:
            return first.astype(native)
        return np.concatenate([first, rest]).astype(native, copy=False)


def read_blob(wire: Wire, start: int, end: int, what: str) -> StoredBlob:
    """Read the BlobProto between two offsets.

    Raises:
        WeightsError (or the error class of `wire`): the bytes are damaged, or the shape does not
            fit the number of values.

    Source: Caffe blob.cpp (FromProto).
    """
    dims: list[int] = []
    legacy = {1: 0, 2: 0, 3: 0, 4: 0}
    has_legacy = False
    values = {number: _Pieces() for number in _FLOAT_FIELDS}
    for field in wire.fields(start, end, what):
        if field.number in _FLOAT_FIELDS and field.wire_type != VARINT:
            values[field.number].add(wire.numbers(field, _FLOAT_FIELDS[field.number], what))
        elif field.number == _SHAPE and field.wire_type == LEN:
            dims += _read_dims(wire, field, what, _MAX_AXES - len(dims))
        elif field.number in legacy and field.wire_type == VARINT:
            legacy[field.number] = next(wire.varints(field, what))
            has_legacy = True
    # As in Caffe, the legacy dimensions win over a shape.
    shape = tuple(legacy.values()) if has_legacy else tuple(dims)
    data, diff = (_prefer_double(values, single, double)
                  for single, double in ((_DATA, _DOUBLE_DATA), (_DIFF, _DOUBLE_DIFF)))
    if min(shape, default=0) < 0 or math.prod(shape) > _MAX_COUNT:
        wire.fail(start, f"{what} has the impossible shape {shape}")
    if math.prod(shape) != data.size:
        wire.fail(start, f"{what} has the shape {shape} but {data.size} values")
    if diff.size not in (0, data.size):
        wire.fail(start, f"{what} has {data.size} values but {diff.size} gradients")
    return StoredBlob(_shaped(wire, data, shape, start, what),
                      diff.reshape(shape) if diff.size else None, has_legacy)


def _read_dims(wire: Wire, field: Field, what: str, most: int) -> list[int]:
    dims: list[int] = []
    for inner in wire.fields(field.start, field.end, f"the shape of {what}"):
        if inner.number == 1 and inner.wire_type in (LEN, VARINT):
            for dim in wire.varints(inner, what):
                if len(dims) == most:
                    wire.fail(field.start, f"{what} has more than {_MAX_AXES} axes")
                dims.append(dim)
    return dims


def _prefer_double(values: dict[int, _Pieces], single: int, double: int) -> np.ndarray:
    array = values[double].join("<f8")
    return array if array.size else values[single].join("<f4")


def _shaped(wire: Wire, data: np.ndarray, shape: tuple[int, ...], start: int,
            what: str) -> np.ndarray:
    try:
        return data.reshape(shape)
    except ValueError:  # one axis is 0, and the others are too large even so
        wire.fail(start, f"{what} has the impossible shape {shape}")


def encode_blob(data: np.ndarray, diff: np.ndarray | None = None) -> list[bytes | memoryview]:
    """Encode an array as the pieces of a BlobProto, in the order in which Caffe writes them.

    The values are not copied if the array is contiguous. float32 arrays are stored as `data`,
    float64 ones as `double_data`.

    Raises:
        WeightsError: another dtype, or a diff of another shape.

    Source: Caffe blob.cpp (ToProto).
    """
    if data.dtype not in _FIELDS_OF:
        raise WeightsError("only float32 and float64 arrays can be stored", got=data.dtype)
    if diff is not None and diff.shape != data.shape:
        raise WeightsError("a gradient has another shape than its values", got=diff.shape,
                           wanted=data.shape)
    numbers = _FIELDS_OF[data.dtype]
    pieces: list[bytes | memoryview] = []
    for number, array in zip(numbers, (data, diff), strict=True):
        if array is not None and array.size:
            raw = np.ascontiguousarray(array, data.dtype.newbyteorder("<"))
            pieces += [encode_header(number, raw.nbytes), raw.reshape(-1).view(np.uint8).data]
    if not data.shape:
        return pieces
    dims = b"".join(encode_varint(dim) for dim in data.shape)
    shape = encode_bytes(_SHAPE, encode_bytes(1, dims))
    # Fields stand in the order of their numbers: data and diff before the shape, doubles behind.
    return [*pieces, shape] if numbers[0] < _SHAPE else [shape, *pieces]


def size_of(pieces: list[bytes | memoryview]) -> int:
    """Return the number of bytes in encoded pieces."""
    return sum(len(piece) for piece in pieces)


def framed(number: int, pieces: list[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """Yield encoded pieces as a message field of this number."""
    yield encode_header(number, size_of(pieces))
    yield from pieces


def read_blob_proto(path: str | os.PathLike[str]) -> np.ndarray:
    """Read an array from a `.binaryproto` file, such as an image mean.

    Raises:
        DataError: the file is missing, damaged, or something else.

    Source: Caffe io.cpp (ReadProtoFromBinaryFileOrDie).
    """
    wire = open_wire(path, DataError)
    kind = kind_of(bytes(wire.data[:HEAD_BYTES]))
    if kind not in (ARRAY, OTHER):
        raise DataError("this is not an array file", where=wire.label, got=kind,
                        wanted="a BlobProto (.binaryproto)")
    return read_blob(wire, 0, len(wire.data), "the array").data


def write_blob_proto(path: str | os.PathLike[str], array: np.ndarray) -> None:
    """Write a float32 or float64 array to a `.binaryproto` file.

    Raises:
        DataError: it cannot be written.
    """
    with new_file(path, DataError, "the array", "wb") as stream:
        stream.writelines(encode_blob(array))
