"""Walk and write protobuf's wire format without building Python numbers.

protobuf's own reader turns every weight into a message field and every float that is written into
a Python object; it also stops at 2 GiB. Here arrays go straight between the file and NumPy, sizes
have no limit, and each announced size is checked against the bytes that are there before anything
is allocated.
"""
from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

import numpy as np

from caffe_lrcn.errors import CaffeError, WeightsError
from caffe_lrcn.proto.file_kinds import missing_file_remedy

VARINT, FIXED64, LEN, FIXED32 = 0, 1, 2, 5
_FIXED_SIZE = {FIXED64: 8, FIXED32: 4}
_MAX_VARINT_BYTES = 10


class Field(NamedTuple):
    """One field of a message, or a run of fixed-size fields with the same tag.

    `start` and `end` delimit the payload. In a run, payloads stand `stride` bytes apart, with a
    tag between them. `value` is that of a varint; `tag_start` is where the field itself begins.
    """

    number: int
    wire_type: int
    start: int
    end: int
    tag_start: int
    value: int = 0
    stride: int = 0


class Wire:
    """Bytes in wire format, with the name of their file and the error class for complaints."""

    def __init__(self, data: memoryview, label: str,
                 error: type[CaffeError] = WeightsError) -> None:
        self.data, self.label, self.error = data, label, error

    def fail(self, offset: int, problem: str) -> NoReturn:
        """Raise the error class: the file is damaged or truncated at this byte."""
        raise self.error(f"damaged or truncated at byte {offset}: {problem}", where=self.label,
                         remedy="Copy or download the file again")

    def varint(self, start: int, end: int, what: str) -> tuple[int, int]:
        """Decode a varint; return its value (unsigned, 64 bits) and the offset behind it."""
        value = 0
        for index, byte in enumerate(self.data[start:min(end, start + _MAX_VARINT_BYTES)]):
            value |= (byte & 0x7F) << 7 * index
            if byte < 0x80:
                return value & (1 << 64) - 1, start + index + 1
        self.fail(start, f"{what} ends within a number")

    def fields(self, start: int, end: int, what: str) -> Iterator[Field]:
        """Yield the fields of the message between two offsets; `what` names it in errors."""
        while start < end:
            tag, payload = self.varint(start, end, what)
            number, wire_type = tag >> 3, tag & 7
            if not 0 < number < 1 << 29:
                self.fail(start, f"{what} has a field with the impossible number {number}")
            if wire_type == VARINT:
                value, stop = self.varint(payload, end, what)
                yield Field(number, VARINT, payload, stop, start, value)
            elif wire_type == LEN:
                size, payload = self.varint(payload, end, what)
                stop = payload + size
                if stop > end:
                    self.fail(start, f"field {number} of {what} announces {size} bytes, but "
                                     f"only {end - payload} follow")
                yield Field(number, LEN, payload, stop, start)
            elif wire_type in _FIXED_SIZE:
                stride = payload - start + _FIXED_SIZE[wire_type]
                stop = start + stride * self._run_length(start, end, payload - start, stride)
                if stop == start:
                    self.fail(start, f"{what} ends within field {number}")
                yield Field(number, wire_type, payload, stop, start, stride=stride)
            else:
                self.fail(start, f"{what} has a field of the unknown wire type {wire_type}")
            start = stop

    def text(self, field: Field) -> str:
        """Decode a string; bytes that are not UTF-8 become replacement characters."""
        return str(self.data[field.start:field.end], "utf-8", "replace")

    def numbers(self, field: Field, dtype: str, what: str) -> np.ndarray:
        """View the payload of a packed field, or of a run, as numbers of a 4 or 8 byte dtype."""
        size = np.dtype(dtype).itemsize
        if field.wire_type == LEN:
            length = field.end - field.start
            if length % size:
                self.fail(field.start,
                          f"{what} has {length} bytes, which is not a multiple of {size}")
            return np.frombuffer(self.data, dtype, length // size, field.start)
        if _FIXED_SIZE.get(field.wire_type) != size:
            self.fail(field.start, f"{what} has numbers of a wrong size")
        count = (field.end - field.tag_start) // field.stride
        return np.ndarray((count,), dtype, self.data, field.start, (field.stride,))

    def varints(self, field: Field, what: str) -> Iterator[int]:
        """Yield the values of a varint field, packed or not, as signed numbers."""
        at, end = field.start, field.end
        while at < end:
            value, at = self.varint(at, end, what)
            yield value - (1 << 64) if value >> 63 else value

    def _run_length(self, start: int, end: int, tag_size: int, stride: int) -> int:
        """Count the complete fields from `start` on that repeat its tag."""
        most = (end - start) // stride
        if most < 2 or tag_size > 1:
            return min(most, 1)
        tag, done, window = self.data[start], 1, 16
        while done < most:
            # Look ahead in growing windows, so that a short run costs little.
            count = min(window, most - done)
            tags = np.ndarray((count,), np.uint8, self.data, start + done * stride, (stride,))
            other = np.flatnonzero(tags != tag)
            if other.size:
                return done + int(other[0])
            done, window = done + count, window * 4
        return done


def open_wire(path: str | os.PathLike[str], error: type[CaffeError] = WeightsError) -> Wire:
    """Map a file into memory.

    Raises:
        error: there is no such file, it is a folder, empty, or unreadable.
    """
    label = os.fspath(path)
    try:
        with open(label, "rb") as stream:
            if os.fstat(stream.fileno()).st_size == 0:
                raise error("the file is empty", where=label,
                            remedy="Copy or download the file again")
            data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise error("no such file", where=label, remedy=missing_file_remedy(label)) from None
    except IsADirectoryError:
        raise error("this is a folder", where=label, remedy="Name the file in it") from None
    except (OSError, ValueError) as problem:
        if isinstance(problem, CaffeError):
            raise
        raise error(f"cannot be read: {problem}", where=label) from None
    return Wire(memoryview(data), label, error)


def encode_varint(value: int) -> bytes:
    """Encode a number as a varint; negative ones as 64-bit two's complement."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode_tag(number: int, wire_type: int) -> bytes:
    """Encode the tag of a field."""
    return encode_varint(number << 3 | wire_type)


def encode_header(number: int, size: int) -> bytes:
    """Encode the tag and the length of a field of `size` bytes."""
    return encode_tag(number, LEN) + encode_varint(size)


def encode_bytes(number: int, payload: bytes) -> bytes:
    """Encode a whole field that holds bytes, a string or a message."""
    return encode_header(number, len(payload)) + payload
