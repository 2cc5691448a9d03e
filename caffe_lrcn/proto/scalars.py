"""Which tokens of text format are values of which fields."""
from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from google.protobuf import text_encoding, text_format
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from caffe_lrcn.hints import nearest
from caffe_lrcn.proto.forks import fork_hint, old_type_hint

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


class WrongValue(Exception):
    """A token is not a value of its field: what would be one, and what to do about it."""

    def __init__(self, wanted: str, remedy: str | None = None) -> None:
        super().__init__(wanted)
        self.wanted, self.remedy = wanted, remedy


def value_reader(field: FieldDescriptor) -> Callable[[Token], Any]:
    """Return the function that turns a token into a value of this field.

    A string comes as it is written between its quotes; `joined` makes the value of it. Of tokens
    that are no such value the function raises WrongValue.
    """
    if field.enum_type is not None:
        return partial(_read_enum, field.enum_type,
                       {value.name: value.number for value in field.enum_type.values})
    if is_string(field):
        return partial(_read_string, field)
    return partial(_read_scalar, *_parser(field))


def is_string(field: FieldDescriptor) -> bool:
    """Tell whether a field holds text or bytes."""
    return field.type in _STRINGS


def joined(pieces: list[str], field: FieldDescriptor) -> str | bytes:
    """Return the value of a field for strings that stand side by side, without their quotes.

    Raises:
        UnicodeDecodeError: the escapes make no text.
    """
    if field.type == _FD.TYPE_STRING and not any("\\" in piece for piece in pieces):
        return "".join(pieces)
    value = b"".join(map(unescaped, pieces))
    return value.decode() if field.type == _FD.TYPE_STRING else value


def unescaped(piece: str) -> bytes:
    """Return the bytes that a string's inside stands for."""
    return text_encoding.CUnescape(piece) if "\\" in piece else piece.encode()


def _read_string(field: FieldDescriptor, token: Token) -> str:
    if token.kind != "string":
        raise WrongValue("a string", _why_no_string(field, token))
    _check_escapes(token.text)
    return token.text[1:-1]


def _why_no_string(field: FieldDescriptor, token: Token) -> str | None:
    if field.full_name.endswith(".LayerParameter.type") and token.text.isupper():
        return ("This is a type of the old 'layers'; in 'layer' it is spelt like "
                "\"InnerProduct\"")
    if token.text in _CURLY:
        return "Use straight quotes: \""
    return "Put it in quotes" if token.kind in ("word", "number") else None


def _read_scalar(wanted: str, parse: Callable[[str], object], token: Token) -> object:
    try:
        if token.kind not in ("word", "number"):
            raise ValueError
        return parse(token.text)
    except ValueError:
        raise WrongValue(wanted, _why_no_scalar(wanted, token)) from None


def _why_no_scalar(wanted: str, token: Token) -> str | None:
    if wanted == "true or false":
        return None
    if token.kind == "string":
        return "Remove the quotes"
    return "Write it without a point" if token.text.endswith(".0") else None


def _check_escapes(text: str) -> None:
    if "\\" in text:
        good = "\\" not in _GOOD_ESCAPE.sub("", text)
        try:
            good = good and unescaped(text) is not None
        except ValueError:  # a number that stands for no character
            good = False
        if not good:
            raise WrongValue("a string with valid escapes", "Write a backslash as \\\\")


def _parser(field: FieldDescriptor) -> tuple[str, Callable[[str], object]]:
    if field.type in _INTEGERS:
        name, signed, is_long = _INTEGERS[field.type]
        return f"an integer ({name})", lambda text: text_format.ParseInteger(text, signed, is_long)
    if field.type in _FLOATS:
        return "a number", text_format.ParseFloat
    return "true or false", text_format.ParseBool


def _read_enum(enum: EnumDescriptor, numbers: dict[str, int], token: Token) -> int:
    if token.kind == "word" and token.text in numbers:
        return numbers[token.text]
    if token.kind == "number":
        with suppress(ValueError):
            number = text_format.ParseInteger(token.text, True, False)
            if number in enum.values_by_number:
                return int(number)
    bare = token.text.strip("\"'")
    hint = old_type_hint(bare) if enum.name == "LayerType" else fork_hint(bare)
    if hint:
        raise WrongValue("one of " + ", ".join(numbers), hint)
    near = nearest(bare, numbers)
    remedy = f"Write {near[0]}, without quotes" if near and token.kind == "string" else (
        f"Did you mean {near[0]}?" if near else None)
    raise WrongValue("one of " + ", ".join(numbers), remedy)
