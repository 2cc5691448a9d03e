"""Upgrade whole files of definitions, text or binary, to today's form."""
from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, TypeVar

from google.protobuf.message import DecodeError, Message

from caffe_lrcn.errors import PrototxtError, UsageError, WeightsError
from caffe_lrcn.files import new_file
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.binary import merge_bytes
from caffe_lrcn.proto.caffemodel import around_blobs, read_wire
from caffe_lrcn.proto.dialects import UPSTREAM
from caffe_lrcn.proto.file_kinds import EMPTY, HDF5, HEAD_BYTES, OTHER, TEXT, WEIGHTS, kind_of
from caffe_lrcn.proto.places import Place
from caffe_lrcn.proto.text import format_text, parse_message, read_text
from caffe_lrcn.proto.upgrade import upgrade_net, upgrade_solver
from caffe_lrcn.proto.wire import LEN, Wire, encode_header, open_wire

_M = TypeVar("_M", bound=Message)
_OLD_LAYERS, _LAYERS = 2, 100  # in NetParameter
_BLOBS = 7  # in LayerParameter


class UnreadableError(PrototxtError):
    """A file to be upgraded that is missing or cannot be parsed (exit code 2)."""


@dataclass(frozen=True)
class Upgraded:
    """A file in today's form, ready to be written.

    Attributes:
        changed: false if it was in this form already.
        text: whether it is text, or a protobuf binary.
        write: writes it to a binary stream.
    """

    changed: bool
    text: bool
    write: Callable[[BinaryIO], None]


def upgrade_net_file(path: str) -> Upgraded:
    """Read and upgrade a net: a prototxt, or a binary NetParameter such as a .caffemodel.

    A binary file in the new form goes through the reader of weights, so that the layouts of the
    LRCN branches become today's too, and files may have any size.

    Raises:
        UnreadableError: the file is missing, damaged, or something else.
        PrototxtError: it uses an old form in a way that has no new one.

    Source: Caffe's upgrade_net_proto_text and upgrade_net_proto_binary.
    """
    if _is_text(path):
        net, place = _parse_text(path, caffe_pb2.NetParameter())
        return _upgraded_net(net, place, text=True)
    wire = _open_binary(path)
    numbers = _top_level(wire)
    if _OLD_LAYERS in numbers or _LAYERS not in numbers:
        net = _parse_binary(wire, caffe_pb2.NetParameter())
        return _upgraded_net(net, Place.nowhere(path), text=False)
    return _upgraded_weights(wire)


def upgrade_solver_file(path: str) -> Upgraded:
    """Read and upgrade a solver definition, text or binary, with the nets that stand in it.

    Raises:
        UnreadableError: the file is missing, damaged, or something else.
        PrototxtError: it uses an old form in a way that has no new one.

    Source: Caffe's upgrade_solver_proto_text.
    """
    text = _is_text(path)
    if text:
        solver, place = _parse_text(path, caffe_pb2.SolverParameter())
    else:
        solver = _parse_binary(_open_binary(path), caffe_pb2.SolverParameter())
        place = Place.nowhere(path)
    before = solver.SerializeToString(deterministic=True)
    upgrade_solver(solver, place)
    for name in ("net_param", "train_net_param"):
        if solver.HasField(name):
            upgrade_net(getattr(solver, name), place.child(name))
    for index, net in enumerate(solver.test_net_param):
        upgrade_net(net, place.child("test_net_param", index))
    return _ready(solver, before, text)


def write_file(upgraded: Upgraded, path: str) -> None:
    """Write an upgraded file; the path may be that of the original.

    Raises:
        UsageError: the file cannot be written.
    """
    with new_file(path, UsageError, "the definition", "wb") as stream:
        upgraded.write(stream)


def _is_text(path: str) -> bool:
    head = b""
    with suppress(OSError), open(path, "rb") as stream:
        head = stream.read(HEAD_BYTES)
    # A file that is empty or cannot be opened: the reader of text says so best.
    return kind_of(head) in (TEXT, EMPTY)


def _parse_text(path: str, message: _M) -> tuple[_M, Place]:
    try:
        return parse_message(read_text(path), message, path)
    except PrototxtError as error:
        raise _unreadable(error) from None


def _open_binary(path: str) -> Wire:
    try:
        wire = open_wire(path)
        kind = kind_of(bytes(wire.data[:HEAD_BYTES]))
        if kind not in (WEIGHTS, OTHER):
            remedy = "HDF5 files hold weights only, no definitions" if kind == HDF5 else None
            raise WeightsError("this is not a definition", where=path, got=kind,
                               wanted="a definition, text or binary", remedy=remedy)
        return wire
    except WeightsError as error:
        raise _unreadable(error) from None


def _unreadable(error: PrototxtError | WeightsError) -> UnreadableError:
    return UnreadableError(error.message, where=error.where, layer=error.layer, got=error.got,
                           wanted=error.wanted, remedy=error.remedy)


def _top_level(wire: Wire) -> set[int]:
    try:
        return {entry.number for entry in wire.fields(0, len(wire.data), "the net")
                if entry.wire_type == LEN}
    except WeightsError as error:
        raise _unreadable(error) from None


def _parse_binary(wire: Wire, message: _M) -> _M:
    try:
        merge_bytes(message, bytes(wire.data))
    except DecodeError as error:
        raise UnreadableError(f"damaged, or not a {message.DESCRIPTOR.name}: {error}",
                              where=wire.label) from None
    return message


def _upgraded_net(net: caffe_pb2.NetParameter, place: Place, text: bool) -> Upgraded:
    before = net.SerializeToString(deterministic=True)
    return _ready(upgrade_net(net, place)[0], before, text)


def _ready(message: Message, before: bytes, text: bool) -> Upgraded:
    after = message.SerializeToString(deterministic=True)
    shown = format_text(message).encode() if text else after

    def write(stream: BinaryIO) -> None:
        stream.write(shown)

    return Upgraded(before != after, text, write)


def _upgraded_weights(wire: Wire) -> Upgraded:
    """Upgrade the definitions in a binary net of today's form; its arrays are copied unread."""
    try:
        file = read_wire(wire)
    except WeightsError as error:
        raise _unreadable(error) from None
    others, arrays = bytearray(), []
    for entry in wire.fields(0, len(wire.data), "the net"):
        if entry.number == _LAYERS and entry.wire_type == LEN:
            arrays.append([wire.data[blob.tag_start:blob.end]
                           for blob in wire.fields(entry.start, entry.end, "a layer")
                           if blob.number == _BLOBS and blob.wire_type == LEN])
        else:
            others += wire.data[entry.tag_start:entry.end]
    net = _parse_binary(Wire(memoryview(others), wire.label), caffe_pb2.NetParameter())
    net.layer.extend(layer.definition for layer in file.layers)
    before = net.SerializeToString(deterministic=True)
    net, _ = upgrade_net(net, Place.nowhere(wire.label))
    # Only an Input layer, which comes first, can have been added.
    arrays[:0] = [[]] * (len(net.layer) - len(arrays))
    changed = (file.dialect != UPSTREAM.name
               or before != net.SerializeToString(deterministic=True))
    return Upgraded(changed, False, partial(_write_weights, net, arrays))


def _write_weights(net: caffe_pb2.NetParameter, arrays: list[list[memoryview]],
                   stream: BinaryIO) -> None:
    head = caffe_pb2.NetParameter()
    head.CopyFrom(net)
    head.ClearField("layer")
    stream.write(head.SerializeToString(deterministic=True))
    for layer, blobs in zip(net.layer, arrays, strict=True):
        front, back = around_blobs(layer)
        pieces: list[bytes | memoryview] = [front, *blobs, back]
        stream.write(encode_header(_LAYERS, sum(map(len, pieces))))
        for piece in pieces:
            stream.write(piece)
