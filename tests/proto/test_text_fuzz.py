"""Reading arbitrary text: a net or an error with its place, in agreement with protobuf."""
from __future__ import annotations

from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st

from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.text import parse_message, parse_net

from .test_text import NET

FRAGMENTS = st.sampled_from([
    "layer", "layers", "name", "type", "{", "}", "<", ">", ":", "[", "]", ",", ";", '"a"', "'b'",
    "1", "-1", "1.5e3", "inf", "nan", "RELU", "true", "\n", "#c\n", '"', "\\", "input_dim",
    "convolution_param", "pad", "weight_filler", "input", "input_shape", "dim", "phase", "@",
    "\\x4", "\\q", "state", "TRAIN", "0x1F", "017", "0f", "param", "blobs_lr", "hdf5_output_param",
    "clip_param",
])


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAGMENTS, max_size=25).map(" ".join))
def test_any_text_gives_a_net_or_an_error_with_its_place(text):
    try:
        parse_net(text, "f")
    except PrototxtError as error:
        assert str(error).startswith("f")


@st.composite
def damaged_nets(draw):
    """NET with a slice replaced by a few fragments."""
    start = draw(st.integers(0, len(NET)))
    end = draw(st.integers(start, min(len(NET), start + 20)))
    return NET[:start] + " ".join(draw(st.lists(FRAGMENTS, max_size=3))) + NET[end:]


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.lists(FRAGMENTS, max_size=25).map(" ".join), damaged_nets()))
def test_scanner_accepts_exactly_what_protobuf_accepts(text):
    message = caffe_pb2.NetParameter()
    try:
        text_format.Parse(text, message)
        wanted = message.IsInitialized()
    except (text_format.ParseError, DeprecationWarning, SyntaxWarning):  # warnings: bad escapes
        wanted = False
    try:
        got = parse_message(text, caffe_pb2.NetParameter(), "f")[0] is not None
    except PrototxtError:
        got = False
    assert got == wanted
