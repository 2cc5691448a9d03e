"""Which tokens of text format are values of which fields."""
from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from google.protobuf import text_format
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from caffe_lrcn.hints import nearest
from caffe_lrcn.proto.forks import fork_hint

_FD = FieldDescriptor
_INTEGERS = {  # type -> (name, signed, 64 bits)
    _FD.TYPE_INT32: ("int32", True, False), _FD.TYPE_UINT32: ("uint32", False, False),
    _FD.TYPE_INT64: ("int64", True, True), _FD.TYPE_UINT64: ("uint64", False, True),
}
_FLOATS = {_FD.TYPE_FLOAT, _FD.TYPE_DOUBLE}
_STRINGS = {_FD.TYPE_STRING, _FD.TYPE_BYTES}
# protobuf for Python lets other escapes pass with a warning, Caffe refuses them.
_GOOD_ESCAPE = re.compile(r"""
    \\ (?: [abfnrtv\\'"] | [0-3][0-7]{0,2} | [4-7][0-7]?(?![0-7])
         | x[0-9a-fA-F]{1,2} | u[0-9a-fA-F]{4} | U[0-9a-fA-F]{8} )""", re.VERBOSE)

_CURLY = "\u201c\u201d\u2018\u2019"  # quotes of a word processor


class Token(NamedTuple):
    """A lexical element; kind is a group name of the token pattern, or "end"."""

    kind: str
    text: str
    offset: int


def value_problem(field: FieldDescriptor, token: Token) -> tuple[str, str | None] | None:
    """Return (wanted, remedy) if the token is not a value of this field, else None."""
    if field.enum_type is not None:
        return _enum_problem(field.enum_type, token)
    if field.type in _STRINGS:
        if token.kind == "string":
            return _escape_problem(token.text)
        if field.full_name.endswith(".LayerParameter.type") and token.text.isupper():
            return "a string", "This is a type of the old 'layers'; in 'layer' it is spelt " \
                "like \"InnerProduct\""
        if token.text in _CURLY:
            return "a string", "Use straight quotes: \""
        return "a string", "Put it in quotes" if token.kind in ("word", "number") else None
    wanted, parse = _parser(field)
    try:
        if token.kind not in ("word", "number"):
            raise ValueError
        parse(token.text)
    except ValueError:
        if field.type == _FD.TYPE_BOOL:
            return wanted, None
        return wanted, "Remove the quotes" if token.kind == "string" else (
            "Write it without a point" if token.text.endswith(".0") else None)
    return None


def _escape_problem(text: str) -> tuple[str, str] | None:
    if "\\" not in _GOOD_ESCAPE.sub("", text):
        return None
    return "a string with valid escapes", "Write a backslash as \\\\"


def _parser(field: FieldDescriptor) -> tuple[str, Callable[[str], object]]:
    if field.type in _INTEGERS:
        name, signed, is_long = _INTEGERS[field.type]
        return f"an integer ({name})", lambda text: text_format.ParseInteger(text, signed, is_long)
    if field.type in _FLOATS:
        return "a number", text_format.ParseFloat
    return "true or false", text_format.ParseBool


def _enum_problem(enum: EnumDescriptor, token: Token) -> tuple[str, str | None] | None:
    if token.kind == "word" and token.text in enum.values_by_name:
        return None
    if token.kind == "number":
        try:
            if text_format.ParseInteger(token.text, True, False) in enum.values_by_number:
                return None
        except ValueError:
            pass
    bare = token.text.strip("\"'")
    if fork_hint(bare):
        return "one of " + ", ".join(enum.values_by_name), fork_hint(bare)
    near = nearest(bare, enum.values_by_name)
    remedy = f"Write {near[0]}, without quotes" if near and token.kind == "string" else (
        f"Did you mean {near[0]}?" if near else None)
    return "one of " + ", ".join(enum.values_by_name), remedy
