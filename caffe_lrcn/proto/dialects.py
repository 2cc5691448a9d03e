"""The binary layouts of the LRCN branches.

Each branch gave its new layer parameters the next free field numbers, and upstream later gave the
same numbers to other messages: read with the upstream schema, the LSTM of one branch is an empty
`log_param`, and no error is raised. Names, types and blobs have the same numbers everywhere. So
the layer's type decides what a parameter message is, and the numbers tell the branch.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.binary import merge_bytes
from caffe_lrcn.proto.wire import LEN, Field, Wire, encode_tag


@dataclass(frozen=True)
class Dialect:
    """The field numbers of one branch inside LayerParameter.

    Above `common`, numbers other than these four mean something that upstream does not know.
    """

    name: str
    embed: int
    reshape: int
    recurrent: int
    scalar: int | None
    common: int


UPSTREAM = Dialect("BVLC rc4 and later", 137, 133, 146, 10000, 1 << 29)
MIXED = "mixed"
OLD = "V1 or V0: layer types were numbers, before 2015"

# Newest first: if a file gives no evidence against it, the newest is meant.
DIALECTS: tuple[Dialect, ...] = (
    UPSTREAM,
    Dialect("recurrent (LRCN), recurrent-v4, vsubhashini recurrent", 137, 133, 140, 139, 138),
    Dialect("lisa_recurrent", 137, 133, 139, None, 138),
    Dialect("recurrent-rebase-cleanup", 137, 133, 138, None, 137),
    Dialect("recurrent-v3ish, lstm_video_deploy", 132, 133, 134, None, 131),
    Dialect("recurrent-v2ish", 131, 132, 133, None, 130),
    Dialect("recurrent-on-dev", 130, 131, 132, None, 129),
)

# Layer type -> which of the four messages is its own.
_ROLES = {"Embed": "embed", "Reshape": "reshape", "LSTM": "recurrent", "RNN": "recurrent",
          "Scalar": "scalar"}
_NUMBERS = {role: {getattr(dialect, role) for dialect in DIALECTS} - {None}
            for role in set(_ROLES.values())}


def recognise(definitions: Iterable[tuple[str, bytes]]) -> Dialect | None:
    """Return the newest dialect in which every layer holds the parameters of its own type.

    Args:
        definitions: type and wire bytes (without blobs) of each LayerParameter.

    Returns:
        None if the layers contradict each other.
    """
    evidence = {(layer_type, frozenset(_message_numbers(definition)))
                for layer_type, definition in definitions if layer_type in _ROLES}
    for dialect in DIALECTS:
        if all(_fits(dialect, layer_type, numbers) for layer_type, numbers in evidence):
            return dialect
    return None


def translate(layer_type: str, definition: bytes,
              dialect: Dialect | None) -> caffe_pb2.LayerParameter:
    """Parse a layer's definition; parameters that today's schema cannot hold are dropped."""
    if dialect is None:
        dialect = recognise([(layer_type, definition)]) or UPSTREAM
    layer = caffe_pb2.LayerParameter()
    try:
        merge_bytes(layer, definition if dialect is UPSTREAM
                    else _renumber(layer_type, definition, dialect))
    except DecodeError:
        layer.Clear()
    layer.DiscardUnknownFields()
    return layer


def _fits(dialect: Dialect, layer_type: str, numbers: frozenset[int]) -> bool:
    role = _ROLES[layer_type]
    return getattr(dialect, role) in numbers or not numbers & _NUMBERS[role]


def _message_numbers(definition: bytes) -> set[int]:
    return {field.number for field in _fields(definition) if field.wire_type == LEN}


def _renumber(layer_type: str, definition: bytes, dialect: Dialect) -> bytes:
    """Give the layer's own parameters their upstream number; drop what upstream misreads."""
    role = _ROLES.get(layer_type)
    own = getattr(dialect, role) if role else None
    out = bytearray()
    for field in _fields(definition):
        whole = definition[field.tag_start:field.end]
        if role and field.number == own and field.wire_type == LEN:
            tag_size = len(encode_tag(field.number, LEN))
            out += encode_tag(getattr(UPSTREAM, role), LEN) + whole[tag_size:]
        elif field.number <= dialect.common:
            out += whole
    return bytes(out)


def _fields(definition: bytes) -> Iterator[Field]:
    return Wire(memoryview(definition), "").fields(0, len(definition), "a definition")
