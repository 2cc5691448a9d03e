"""Datum messages to arrays and back."""
from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from caffe_lrcn.errors import DataError
from caffe_lrcn.proto.caffe_pb2 import Datum
from caffe_lrcn.sources.datum import array_to_datum, datum_to_array, parse_datum, pixels
from tests.sources.databases import encoded, pictures

PLANES = pictures(1)[0]


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int64])
def test_arrays_come_back(dtype):
    datum = array_to_datum(PLANES.astype(dtype), 7)
    assert datum.label == 7 and bool(datum.data) is (dtype == np.uint8)
    got = datum_to_array(parse_datum(datum.SerializeToString()))
    assert got.dtype == (np.uint8 if dtype == np.uint8 else np.float32)
    np.testing.assert_array_equal(got, PLANES)
    np.testing.assert_array_equal(pixels(datum), PLANES.transpose(1, 2, 0))


def test_bytes_win_over_floats():
    datum = array_to_datum(PLANES)
    datum.float_data.extend([1.0] * PLANES.size)
    np.testing.assert_array_equal(datum_to_array(datum), PLANES)


def test_a_label_is_optional():
    assert not array_to_datum(PLANES).HasField("label")


@pytest.mark.parametrize("shape", [(6, 8), (1, 3, 6, 8), (3, 0, 8)])
def test_arrays_of_other_axes_are_refused(shape):
    with pytest.raises(DataError, match="one picture"):
        array_to_datum(np.zeros(shape))


@pytest.mark.parametrize("datum, message", [
    (Datum(channels=3, height=6, width=8, data=b"1" * 143), "got 143 values, wanted channels 3 x"),
    (Datum(channels=3, height=6, width=8, float_data=[1.0] * 145), "got 145 values"),
    (Datum(channels=-3, height=-6, width=8, data=b"1" * 144), "channels -3 x height -6"),
    (Datum(channels=2**31 - 1, height=2**31 - 1, width=2**31 - 1, data=b"1"), "fill its shape"),
    (Datum(), "got 0 values")])
def test_values_must_fill_the_shape(datum, message):
    with pytest.raises(DataError, match=message):
        parse_datum(datum.SerializeToString())
    with pytest.raises(DataError, match=message):
        datum_to_array(datum)


def test_other_bytes_are_no_datum():
    with pytest.raises(DataError, match="this is not a Datum .got 4 bytes"):
        parse_datum(b"\xff\xff\xff\xff")


def test_encoded_pictures_are_decoded_as_asked():
    grey = PLANES[:1]
    np.testing.assert_array_equal(pixels(encoded(PLANES)), PLANES.transpose(1, 2, 0))
    np.testing.assert_array_equal(pixels(encoded(grey)), grey.transpose(1, 2, 0))
    np.testing.assert_array_equal(pixels(encoded(grey), True),
                                  np.repeat(grey, 3, 0).transpose(1, 2, 0))
    assert pixels(encoded(PLANES), False).shape == (6, 8, 1)


def test_native_decoding_keeps_transparency():
    planes = pictures(1, (4, 6, 8))[0]
    np.testing.assert_array_equal(pixels(encoded(planes)), planes.transpose(1, 2, 0))
    np.testing.assert_array_equal(pixels(encoded(planes), True), planes[:3].transpose(1, 2, 0))


def test_native_decoding_refuses_other_depths():
    file = io.BytesIO()
    Image.fromarray(np.full((2, 3), 0x1234, np.uint16)).save(file, "PNG")
    datum = Datum(data=file.getvalue(), encoded=True)
    with pytest.raises(DataError, match="not 8-bit; force_color or force_gray"):
        pixels(datum)
    assert pixels(datum, False).tolist() == [[[0x12]] * 3] * 2


def test_encoded_pictures_are_no_raw_values():
    with pytest.raises(DataError, match="encoded"):
        datum_to_array(encoded(PLANES))


def test_damaged_pictures():
    datum = encoded(PLANES)
    datum.data = datum.data[:60]
    with pytest.raises(DataError, match="the encoded picture cannot be decoded"):
        pixels(datum)
