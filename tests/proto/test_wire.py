"""The walk over protobuf's wire format."""
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caffe_lrcn.errors import DataError, WeightsError
from caffe_lrcn.proto.wire import (
    FIXED32,
    FIXED64,
    LEN,
    VARINT,
    encode_bytes,
    encode_tag,
    encode_varint,
    open_wire,
)

from .weight_bytes import wire


def walk(data: bytes) -> list:
    return list(wire(data).fields(0, len(data), "it"))


@given(st.integers(0, 2**64 - 1))
def test_varints_round_trip(value):
    data = encode_varint(value)
    assert wire(data).varint(0, len(data), "it") == (value, len(data))


def test_negative_varints_are_twos_complement():
    (field,) = walk(encode_tag(1, VARINT) + encode_varint(-3))
    assert list(wire(encode_tag(1, VARINT) + encode_varint(-3)).varints(field, "it")) == [-3]


def test_runs_of_fixed_fields_are_one_field():
    tag, other = encode_tag(5, FIXED32), encode_tag(6, FIXED32)
    numbers = np.arange(100, dtype="<f4")
    data = b"".join(tag + value.tobytes() for value in numbers)
    data += other + b"\0\0\0\0" + tag + b"abcd"
    first, second, third = walk(data)
    assert (first.number, second.number, third.number) == (5, 6, 5)
    np.testing.assert_array_equal(wire(data).numbers(first, "<f4", "it"), numbers)


def test_runs_of_doubles_and_packed_doubles():
    tag = encode_tag(8, FIXED64)
    numbers = np.arange(3, dtype="<f8")
    run = b"".join(tag + value.tobytes() for value in numbers)
    for data in (run, encode_bytes(8, numbers.tobytes())):
        (field,) = walk(data)
        np.testing.assert_array_equal(wire(data).numbers(field, "<f8", "it"), numbers)


@pytest.mark.parametrize("data, part", [
    (b"\x0a\x05ab", "byte 0: field 1 of it announces 5 bytes, but only 2 follow"),
    (b"\x0a\x00\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x01", "byte 2: field 1 of it announces"),
    (b"\x80", "byte 0: it ends within a number"),
    (b"\x08" + b"\xff" * 11, "byte 1: it ends within a number"),
    (b"\x2d\x00\x00", "byte 0: it ends within field 5"),
    (b"\x0b", "unknown wire type 3"),
    (b"\x02\x00", "impossible number 0"),
])
def test_damage_is_reported_with_its_place(data, part):
    with pytest.raises(WeightsError) as caught:
        walk(data)
    assert part in str(caught.value) and str(caught.value).startswith("f: damaged or truncated")


def test_numbers_of_the_wrong_size():
    data = encode_bytes(5, b"abcde")
    with pytest.raises(WeightsError, match="5 bytes, which is not a multiple of 4"):
        wire(data).numbers(walk(data)[0], "<f4", "it")
    data = encode_tag(5, FIXED64) + b"12345678"
    with pytest.raises(WeightsError, match="wrong size"):
        wire(data).numbers(walk(data)[0], "<f4", "it")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_fields_cover_the_bytes_or_fail(data):
    try:
        fields = walk(data)
    except WeightsError:
        return
    assert [field.tag_start for field in fields] == [0, *(f.end for f in fields)][:len(fields)]
    assert not fields or fields[-1].end == len(data)
    assert {field.wire_type for field in fields} <= {VARINT, FIXED64, LEN, FIXED32}


def test_open_wire_errors(tmp_path):
    (tmp_path / "net.caffemodel").write_bytes(b"")
    with pytest.raises(DataError, match="empty"):
        open_wire(tmp_path / "net.caffemodel", DataError)
    with pytest.raises(WeightsError, match="no such file.*'net.caffemodel'"):
        open_wire(tmp_path / "nett.caffemodel")
    with pytest.raises(WeightsError, match="folder"):
        open_wire(tmp_path)
