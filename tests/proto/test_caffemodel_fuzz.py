"""Reading arbitrary bytes as weights: a result or an error, in bounded memory."""
from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from caffe_lrcn.errors import WeightsError
from caffe_lrcn.proto.caffemodel import read_wire
from caffe_lrcn.proto.wire import encode_bytes

from .weight_bytes import GOLDEN, layer_bytes, wire

SGD = (GOLDEN / "solvers" / "sgd_iter_6.caffemodel").read_bytes()
ERA = (GOLDEN / "legacy" / "era_recurrent.caffemodel").read_bytes()
SEEDS = [SGD[:3000], ERA[-1500:],
         layer_bytes("a", "LSTM", 140, b"\x08\x05") + layer_bytes("b", "Embed", 132, b"\x08\x01"),
         encode_bytes(2, encode_bytes(1, encode_bytes(2, b"conv") + encode_bytes(50, b"")))]


@st.composite
def damaged(draw):
    """A weight file with some bytes changed, inserted or cut."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at:at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data[:draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.binary(max_size=80), damaged()))
def test_any_bytes_give_weights_or_an_error(data):
    try:
        file = read_wire(wire(data))
    except WeightsError as error:
        assert str(error).startswith("f: ")
        return
    assert sum(blob.nbytes for layer in file.layers for blob in layer.blobs) <= 2 * len(data)
