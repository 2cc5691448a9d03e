"""Binary .caffemodel files: a NetParameter whose layers hold their blobs.

All generations are read: `layer`, the older `layers` and the oldest form nested in those, and the
field numbers of the LRCN branches (dialects.py). What is written is what BVLC Caffe writes.
"""
from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from google.protobuf.message import DecodeError

from caffe_lrcn.errors import PrototxtError, WeightsError
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.binary import merge_bytes
from caffe_lrcn.proto.blob_proto import MAX_BLOBS, StoredBlob, encode_blob, framed, read_blob
from caffe_lrcn.proto.dialects import MIXED, OLD, recognise, translate
from caffe_lrcn.proto.places import Place
from caffe_lrcn.proto.upgrade import upgrade_v1_layer, v1_type_name
from caffe_lrcn.proto.upgrade_v0 import V0_TYPES, upgrade_v0_layer
from caffe_lrcn.proto.wire import LEN, VARINT, Field, Wire, encode_bytes, encode_header

MAX_LAYERS = 100_000

# A layer to write: definition, values, gradients (or None, for all or for single blobs).
LayerRecord = tuple[caffe_pb2.LayerParameter, Sequence[np.ndarray],
                    Sequence[np.ndarray | None] | None]

_NET_NAME, _NET_LAYERS, _NET_LAYER, _NET_VOCABULARY = 1, 2, 100, 10000
_BLOBS = 7  # in LayerParameter
_V0_IN_V1 = 1


@dataclass
class WeightLayer:
    """The stored parameters of one layer.

    Attributes:
        name: the layer's name.
        type: its type string; numbers of V1 types that nobody knows show as "LayerType(n)".
        blobs: the values, float32 or float64, C order. In HDF5 files, a parameter that is shared
            with an earlier layer is stored there only: it is None here, or missing at the end.
        diffs: a gradient per blob, or None.
        legacy_shape: per blob, true if its shape is the four axes of an old file.
        definition: the layer's definition without blobs, in today's form.
    """

    name: str
    type: str = ""
    blobs: list[np.ndarray] = field(default_factory=list)
    diffs: list[np.ndarray | None] = field(default_factory=list)
    legacy_shape: list[bool] = field(default_factory=list)
    definition: caffe_pb2.LayerParameter = field(default_factory=caffe_pb2.LayerParameter)


@dataclass
class WeightFile:
    """The layers of a weight file, in its order, and the dialect that the file is written in."""

    name: str
    layers: list[WeightLayer]
    dialect: str


@dataclass(frozen=True)
class _Form:
    """Field numbers of a generation of layer messages."""

    name: int
    type: int
    blobs: int


_V2, _V1, _V0 = _Form(1, 2, 7), _Form(4, 5, 6), _Form(1, 2, 50)


@dataclass
class _RawLayer:
    """A layer as found: text fields and blobs read, the rest kept as bytes."""

    form: _Form
    name: str = ""
    type: str = ""
    blobs: list[StoredBlob] = field(default_factory=list)
    definition: bytearray = field(default_factory=bytearray)


def read_wire(wire: Wire) -> WeightFile:
    """Read the NetParameter of a binary .caffemodel of any size, generation and branch.

    Raises:
        WeightsError: the bytes are damaged, truncated, or hold no layers; the byte offset and what
            stands there are named.

    Source: Caffe net.cpp (CopyTrainedLayersFromBinaryProto), upgrade_proto.cpp.
    """
    name, blobs = "", 0
    raw: list[_RawLayer] = []
    for entry in wire.fields(0, len(wire.data), "the net"):
        if entry.wire_type != LEN:
            continue
        if entry.number == _NET_NAME:
            name = wire.text(entry)
        elif entry.number in (_NET_LAYER, _NET_LAYERS):
            form = _V2 if entry.number == _NET_LAYER else _V1
            raw.append(_read_layer(wire, entry, form, f"layer number {len(raw)}"))
            blobs += len(raw[-1].blobs)
            if len(raw) > MAX_LAYERS or blobs > MAX_BLOBS:
                wire.fail(entry.tag_start, "too many layers or blobs for a net")
    if not raw:
        raise WeightsError("the file holds no layers", where=wire.label,
                           wanted="a NetParameter (.caffemodel)")
    dialect = recognise((layer.type, bytes(layer.definition))
                        for layer in raw if layer.form is _V2)
    layers = []
    for layer in raw:
        definition = (translate(layer.type, bytes(layer.definition), dialect)
                      if layer.form is _V2 else _upgraded(bytes(layer.definition)))
        layers.append(_finished(layer, definition))
    old = all(layer.form is _V1 for layer in raw)
    return WeightFile(name, layers, OLD if old else dialect.name if dialect else MIXED)


def _read_layer(wire: Wire, entry: Field, form: _Form, what: str) -> _RawLayer:
    """Read one layer message; a V0 layer nested in it adds to what is found."""
    layer = _RawLayer(form)
    for inner in wire.fields(entry.start, entry.end, what):
        if inner.wire_type == LEN and inner.number == form.blobs:
            shown = f"blob {len(layer.blobs)} of layer '{layer.name}'" if layer.name else (
                f"blob {len(layer.blobs)} of {what}")
            layer.blobs.append(read_blob(wire, inner.start, inner.end, shown))
            if len(layer.blobs) > MAX_BLOBS:
                wire.fail(inner.tag_start, "too many blobs for a layer")
            continue
        if inner.wire_type == LEN and inner.number == _V0_IN_V1 and form is _V1:
            nested = _read_layer(wire, inner, _V0, what)
            layer.name, layer.type = nested.name, _v0_type_name(nested.type)
            layer.blobs += nested.blobs
            layer.definition += encode_bytes(_V0_IN_V1, bytes(nested.definition))
            continue
        layer.definition += wire.data[inner.tag_start:inner.end]
        if inner.wire_type == LEN and inner.number == form.name:
            layer.name = wire.text(inner)
        elif inner.wire_type == LEN and inner.number == form.type:
            layer.type = wire.text(inner)
        elif inner.wire_type == VARINT and inner.number == form.type and form is _V1:
            layer.type = v1_type_name(inner.value)
    return layer


def _v0_type_name(name: str) -> str:
    return v1_type_name(V0_TYPES[name]) if name in V0_TYPES else name


def _upgraded(definition: bytes) -> caffe_pb2.LayerParameter:
    """Upgrade a V1 (or, nested, V0) definition; empty if it makes no sense."""
    old = caffe_pb2.V1LayerParameter()
    try:
        merge_bytes(old, definition)
        if old.HasField("layer"):
            old = upgrade_v0_layer(old, Place.nowhere("weights"))
    except (PrototxtError, DecodeError):
        return caffe_pb2.LayerParameter()
    old.DiscardUnknownFields()
    return upgrade_v1_layer(old)


def _finished(raw: _RawLayer, definition: caffe_pb2.LayerParameter) -> WeightLayer:
    definition.name, definition.type = raw.name, raw.type
    return WeightLayer(raw.name, raw.type, [blob.data for blob in raw.blobs],
                       [blob.diff for blob in raw.blobs],
                       [blob.legacy_shape for blob in raw.blobs], definition)


def find_vocabulary(wire: Wire) -> str:
    """Return the SHA-256 of the vocabulary that a NetParameter names, or ''.

    Raises:
        WeightsError: the bytes are damaged or truncated.
    """
    found = [wire.text(entry) for entry in wire.fields(0, len(wire.data), "the net")
             if entry.number == _NET_VOCABULARY and entry.wire_type == LEN]
    return found[-1] if found else ""


def write_caffemodel(path: str | os.PathLike[str], name: str, layers: Iterable[LayerRecord],
                     vocabulary: str = "") -> None:
    """Write a binary .caffemodel straight from the arrays.

    Args:
        name: the net's name.
        layers: definition, values and gradients of each layer; blobs inside definitions are
            left out. float32 and float64 arrays are possible.
        vocabulary: SHA-256 of the vocabulary whose ids the net has learnt, if there is one.

    Raises:
        WeightsError: arrays of another dtype, or gradients that do not fit.
        OSError: the file cannot be written.

    Source: Caffe net.cpp (ToProto), layer.hpp (ToProto).
    """
    with open(path, "wb") as stream:
        stream.write(encode_bytes(_NET_NAME, name.encode()))
        for definition, blobs, diffs in layers:
            stream.writelines(_encode_layer(definition, blobs, diffs or [None] * len(blobs)))
        if vocabulary:
            stream.write(encode_bytes(_NET_VOCABULARY, vocabulary.encode()))


def _encode_layer(definition: caffe_pb2.LayerParameter, blobs: Sequence[np.ndarray],
                  diffs: Sequence[np.ndarray | None]) -> Iterator[bytes | memoryview]:
    before, after = around_blobs(definition)
    try:
        stored = [list(framed(_BLOBS, encode_blob(blob, diff)))
                  for blob, diff in zip(blobs, diffs, strict=True)]
    except WeightsError as error:
        error.layer = definition.name
        raise
    except ValueError:
        raise WeightsError("there is not one gradient for each blob", layer=definition.name,
                           got=len(diffs), wanted=len(blobs)) from None
    size = len(before) + sum(len(piece) for blob in stored for piece in blob) + len(after)
    yield encode_header(_NET_LAYER, size)
    yield before
    for blob in stored:
        yield from blob
    yield after


def around_blobs(definition: caffe_pb2.LayerParameter) -> tuple[bytes, bytes]:
    """Return a definition's bytes before and behind the blobs, which Caffe writes by number."""
    if definition.blobs:
        copy = caffe_pb2.LayerParameter()
        copy.CopyFrom(definition)
        copy.ClearField("blobs")
        definition = copy
    raw = definition.SerializePartialToString(deterministic=True)
    for entry in Wire(memoryview(raw), "a definition").fields(0, len(raw), "a definition"):
        if entry.number > _BLOBS:
            return raw[:entry.tag_start], raw[entry.tag_start:]
    return raw, b""
