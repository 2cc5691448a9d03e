"""Read net and solver definitions from text, and keep where everything was written.

A definition that is read is also upgraded: layers in the V0 and V1 forms, input fields and so on
come out as today's form (upgrade.py), with the places of their originals.
"""
from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from google.protobuf import text_format
from google.protobuf.message import Message

from caffe_lrcn.collection import paused_collection
from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.files import read_file
from caffe_lrcn.proto import caffe_pb2
from caffe_lrcn.proto.file_kinds import (
    HEAD_BYTES,
    TEXT,
    UTF_16,
    WEIGHTS,
    kind_of,
    missing_file_remedy,
)
from caffe_lrcn.proto.places import Place
from caffe_lrcn.proto.scanner import Scanner
from caffe_lrcn.proto.upgrade import upgrade_net, upgrade_solver

__all__ = ["LayerDef", "NetChange", "NetDef", "Place", "SolverDef", "format_text", "inline_net",
           "net_from_message", "parse_message", "parse_net", "parse_solver", "read_net",
           "read_solver", "read_text", "upgraded_net"]

_M = TypeVar("_M", bound=Message)


@dataclass
class LayerDef:
    """A layer's definition and its place; ``inserted`` of a Split that nobody wrote."""

    param: caffe_pb2.LayerParameter
    place: Place
    inserted: bool = False


@dataclass
class NetDef:
    """An upgraded net definition; `param.layer[i]` is `layers[i].param`."""

    param: caffe_pb2.NetParameter
    layers: list[LayerDef]
    place: Place


class NetChange(Protocol):
    """A change of nets after they have been read; not each of them need have what is changed."""

    def __call__(self, net: NetDef) -> None:
        """Change a net."""

    def finish(self) -> None:
        """Raise UsageError if there were nets, and none of them had what was to be changed."""


@dataclass
class SolverDef:
    """An upgraded solver definition; nets inside it are upgraded by `inline_net`.

    `changes` are made to each net after it has been read.
    """

    param: caffe_pb2.SolverParameter
    place: Place
    changes: list[NetChange] = field(default_factory=list)


def read_net(path: str | os.PathLike[str]) -> NetDef:
    """Read and upgrade a net definition from a prototxt file.

    Raises:
        PrototxtError: the file is missing, is not text, or says something wrong.

    Source: Caffe upgrade_proto.cpp (ReadNetParamsFromTextFileOrDie).
    """
    return parse_net(read_text(path), os.fspath(path))


def parse_net(text: str, file: str = "<string>") -> NetDef:
    """Parse and upgrade a net definition; `file` names it in errors."""
    param, place = parse_message(text, caffe_pb2.NetParameter(), file)
    return upgraded_net(param, place)


def net_from_message(param: caffe_pb2.NetParameter, label: str) -> NetDef:
    """Upgrade a net definition that was built in a program; errors show the label."""
    copy = caffe_pb2.NetParameter()
    copy.CopyFrom(param)
    return upgraded_net(copy, Place.nowhere(label))


def inline_net(solver: SolverDef, *path: str | int) -> NetDef:
    """Return a net given inside a solver: path "net_param", or "test_net_param" and an index.

    Unlike Caffe, which leaves such nets as they are, this upgrades them like any other.
    """
    param = caffe_pb2.NetParameter()
    source = getattr(solver.param, str(path[0]))
    param.CopyFrom(source[path[1]] if len(path) > 1 else source)
    return upgraded_net(param, solver.place.child(*path))


def read_solver(path: str | os.PathLike[str]) -> SolverDef:
    """Read and upgrade a solver definition from a prototxt file.

    A snapshot_prefix that is not given becomes the path without its extension, one that is an
    existing folder becomes the file's stem in that folder.

    Raises:
        PrototxtError: the file is missing, is not text, or says something wrong.

    Source: Caffe upgrade_proto.cpp (ReadSolverParamsFromTextFileOrDie).
    """
    file = os.fspath(path)
    solver = parse_solver(read_text(path), file)
    stem = os.path.splitext(file)[0]
    prefix = solver.param.snapshot_prefix
    if not prefix:
        solver.param.snapshot_prefix = stem
    elif os.path.isdir(prefix):
        solver.param.snapshot_prefix = os.path.join(prefix, os.path.basename(stem))
    return solver


def parse_solver(text: str, file: str = "<string>") -> SolverDef:
    """Parse and upgrade a solver definition; `file` names it in errors."""
    param, place = parse_message(text, caffe_pb2.SolverParameter(), file)
    upgrade_solver(param, place)
    return SolverDef(param, place)


def format_text(message: Message) -> str:
    """Write a message in text format, one field a line, as Caffe does (1, not 1.0)."""
    text = text_format.MessageToString(message, as_utf8=True)
    return re.sub(r"(?m)^( *\w+: -?\d+)\.0$", r"\1", text)


@paused_collection()
def parse_message(text: str, message: _M, file: str) -> tuple[_M, Place]:
    """Parse text format into an empty message; return it and the place of its fields.

    Raises:
        PrototxtError: wrong syntax, field or value, with file:line:column.
    """
    return message, Place(file, Scanner(text, file).scan(message))


def read_text(path: str | os.PathLike[str]) -> str:
    """Read a definition file as UTF-8 text; other bytes become replacement characters.

    Raises:
        PrototxtError: the file is missing, a folder, empty, or not text (said what it is).
    """
    file = os.fspath(path)
    if not file:
        raise PrototxtError("no definition is named: the path is empty")
    try:
        data = read_file(file)
    except FileNotFoundError:
        raise PrototxtError("no such file", where=file,
                            remedy=missing_file_remedy(file)) from None
    except IsADirectoryError:
        raise PrototxtError("this is a folder, not a definition", where=file,
                            remedy="Name the .prototxt file in it") from None
    except OSError as error:
        raise PrototxtError(f"cannot be read: {error.strerror}", where=file) from None
    if not data.strip():
        raise PrototxtError("the file is empty", where=file)
    kind = kind_of(data[:HEAD_BYTES])
    if kind == TEXT:
        # Caffe takes any bytes in comments and strings. A name in a weight file is decoded like
        # this too (wire.py), so that it is still the same name.
        return data.decode("utf-8-sig", "replace")
    remedy = {
        WEIGHTS: "Weights go to --weights (from Python: weights=); 'inspect FILE' shows them, and "
                 "'inspect FILE --prototxt OUT' writes the net that they hold",
        UTF_16: "Save it as UTF-8"}.get(kind)
    raise PrototxtError("this is not a definition", where=file, got=kind,
                        wanted="a prototxt (text)", remedy=remedy)


def upgraded_net(param: caffe_pb2.NetParameter, place: Place) -> NetDef:
    """Upgrade a net that was read from text; the message is changed.

    Raises:
        PrototxtError: an old form that has no new one.
    """
    upgraded, places = upgrade_net(param, place)
    layers = [LayerDef(layer, spot) for layer, spot in zip(upgraded.layer, places, strict=True)]
    return NetDef(upgraded, layers, place)
