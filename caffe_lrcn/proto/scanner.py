"""Scan protobuf text format against the schema: positions of all fields, and errors with a place.

protobuf's own parser tells positions only for syntax errors. This one reads the same grammar, and
notes where every field stands.
"""
from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any, NoReturn

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.hints import did_you_mean, misspelt, nearest
from caffe_lrcn.proto.forks import fork_hint
from caffe_lrcn.proto.places import Path, Positions
from caffe_lrcn.proto.scalars import (
    Token,
    WrongValue,
    is_string,
    joined,
    unescaped,
    value_reader,
)
from caffe_lrcn.proto.tokens import CLOSING, field_end, tokenise

NO_SUCH_FIELD = "It is misspelt, or it belongs to a fork of Caffe"
_SHOWN = 60  # characters of a token in an error
# Definition -> the one that is given in its place by mistake, and what to do.
_MIXED_UP = {
    "NetParameter": ("SolverParameter", "This looks like a solver definition, not a net"),
    "SolverParameter": ("NetParameter", "This looks like a net; a solver names it: net: \"...\""),
}


@dataclass(frozen=True)
class Span:
    """Where a field stands in a text: from offset `start` to before `end`.

    `top` is the offset of the outermost field around it, `owner` the path of its message.
    """

    start: int
    end: int
    top: int
    owner: Path


class Scanner:
    """One pass over a text; `positions` says where each field stands.

    Args:
        text, file: the definition, and what errors call it.
        on_error: gets the error of a wrong field and where that stands, which is then passed over;
            without it, and where the syntax leaves no way to go on, the error is raised.

    `tokens` are those of the text; `within` is the path of the message that was read last.
    """

    def __init__(self, text: str, file: str,
                 on_error: Callable[[PrototxtError, Span], None] | None = None) -> None:
        self.file = file
        self.within: Path = ()
        self._on_error, self._fatal = on_error, False
        self._lines = array("q", [0])
        self._lines.extend(match.end() for match in re.finditer("\n", text))
        self.positions = Positions(self._lines)
        self.tokens = tokenise(text)
        self._top = 0
        self._next = 0
        self._ahead: Token = self.tokens[0]
        self._root: Descriptor | None = None

    def scan(self, message: Message) -> Positions:
        """Read the whole text into an empty message; return the positions.

        Raises:
            PrototxtError: a name, a value or the syntax is wrong; with file:line:column.
        """
        self._root = message.DESCRIPTOR
        self._message(message, (), None)
        return self.positions

    # -- grammar -------------------------------------------------------------------------

    def _message(self, message: Message, path: Path, opening: Token | None) -> None:
        """Read fields up to the brace that closes `opening` (None: up to the end)."""
        fields = _fields_of(message.DESCRIPTOR)
        counts: dict[str, int] = {}
        closing = CLOSING[opening.text] if opening else ""
        while True:
            start, self.within = self._next, path
            token = self._take()
            if token.kind == "end" or token.text in ("}", ">"):
                self._close(token, opening, closing)
                return
            if token.kind != "word":
                self._fail(token, "a field name was expected", got=_shown(token), fatal=True)
            if not path:
                self._top = token.offset
            field = fields.get(token.text)
            try:
                if field is None:
                    self._unknown_field(token, message.DESCRIPTOR)
                self._field(field, message, token, (*path, field.name), counts)
            except PrototxtError as error:
                self._pass_over(start, path, error)
            if self._peek().text in (",", ";"):
                self._take()

    def _pass_over(self, start: int, path: Path, error: PrototxtError) -> None:
        """Go on after the wrong field that begins with token `start`."""
        end = field_end(self.tokens, start, self._lines)
        if self._on_error is None or self._fatal or end is None:
            self._fatal = True
            raise error
        self._go_to(end)
        last = end if self._peek().text in (",", ";") else end - 1
        self._on_error(error, Span(self.tokens[start].offset, self._end(last), self._top, path))

    def _end(self, last: int) -> int:
        """Return the offset after a token."""
        return self.tokens[last].offset + len(self.tokens[last].text)

    def _field(self, field: _Field, message: Message, token: Token, path: Path,
               counts: dict[str, int]) -> None:
        seen = counts.get(field.name, 0)
        if seen and not field.repeated:
            line = (self.positions.get(path) or (1, 1))[0]
            self._fail(token, f"field '{field.name}' takes one value, and this is the second",
                       remedy=f"The first is on line {line}; keep one of them")
        if self._peek().text == ":":
            self._take()
        elif not field.is_message:
            self._fail(self._peek(), f"a colon was expected after '{field.name}'",
                       got=_shown(self._peek()), fatal=True)
        if not field.repeated:
            self.positions.add(path, token.offset)
            counts[field.name] = 1
            self._value(field, message, token, path)
        elif self._peek().text == "[":
            self._list(field, message, path, counts)
        else:
            counts[field.name] = seen + 1
            self._element(field, message, token, path, seen)

    def _list(self, field: _Field, message: Message, path: Path, counts: dict[str, int]) -> None:
        """Read `[a, b]`."""
        self._take()
        if self._peek().text == "]":
            self._take()
            return
        while True:
            number = counts.get(field.name, 0)
            counts[field.name] = number + 1
            self._element(field, message, self._peek(), path, number)
            token = self._take()
            if token.text == "]":
                return
            if token.text != ",":
                self._fail(token, f"',' or ']' was expected in the list of '{field.name}'",
                           got=_shown(token))

    def _element(self, field: _Field, message: Message, token: Token, path: Path,
                 number: int) -> None:
        """Read one of the values of a repeated field."""
        if field.is_message:
            path = (*path, number)
            self.positions.add(path, token.offset)
        else:
            self.positions.add_value(path, token.offset)
        self._value(field, message, token, path)

    def _value(self, field: _Field, message: Message, token: Token, path: Path) -> None:
        """Read a value into its message; `token` is to blame for what the value lacks."""
        if field.is_message:
            held = getattr(message, field.name)
            self._message_value(field, held.add() if field.repeated else held, token, path)
            return
        value = self._scalar_value(field)
        if field.repeated:
            getattr(message, field.name).append(value)
        else:
            setattr(message, field.name, value)

    def _message_value(self, field: _Field, message: Message, name: Token, path: Path) -> None:
        token = self._take()
        if token.text not in CLOSING:
            self._fail(token, f"field '{field.name}' holds a message", got=_shown(token),
                       wanted=f"{field.name} {{ ... }}")
        message.SetInParent()
        self._message(message, path, token)
        for required in field.required:
            if not message.HasField(required):
                self._fail(name, f"field '{required}' must be given")

    def _scalar_value(self, field: _Field) -> Any:
        token = self._take()
        value = self._read(field, token)
        if not field.is_string or "\\" not in token.text and self._peek().kind != "string":
            return value
        first, pieces = self._next - 1, [value]
        while self._peek().kind == "string":  # adjacent strings are joined
            pieces.append(self._read(field, self._take()))
        try:
            return joined(pieces, field.descriptor)
        except UnicodeDecodeError as error:
            at = bisect_right(list(accumulate(len(unescaped(piece)) for piece in pieces)),
                              error.start)
            self._fail(self.tokens[first + at], str(error))

    def _read(self, field: _Field, token: Token) -> Any:
        try:
            return field.read(token)
        except WrongValue as problem:
            self._fail(token, f"wrong value for field '{field.name}'", got=_shown(token),
                       wanted=problem.wanted, remedy=problem.remedy)

    def _close(self, token: Token, opening: Token | None, closing: str) -> None:
        if opening is None:
            if token.kind != "end":
                self._fail(token, f"'{token.text}' closes nothing",
                           remedy="Remove it, or look for a brace closed too early above",
                           fatal=True)
        elif token.text != closing:
            line, column = self.positions.where(opening.offset)
            self._fail(token, f"the '{opening.text}' of line {line}, column {column} is not closed",
                       got=_shown(token), wanted=f"'{closing}'", fatal=True)

    # -- tokens and errors ---------------------------------------------------------------

    def _peek(self) -> Token:
        return self._ahead

    def _take(self) -> Token:
        token = self._ahead
        if token.kind != "end":
            self._next += 1  # _go_to, without its call
            self._ahead = self.tokens[self._next]
        return token

    def _go_to(self, number: int) -> None:
        self._next, self._ahead = number, self.tokens[number]

    def _unknown_field(self, token: Token, descriptor: Descriptor) -> NoReturn:
        known = descriptor.fields_by_name
        # *_param holds what one layer type needs, so a near name is another type's.
        near = (misspelt(token.text, known) if token.text.endswith("_param")
                else nearest(token.text, known, 3))
        hint = did_you_mean(near)
        root = self._root
        if root and descriptor is not root and token.text in root.fields_by_name:
            hint = f"{root.name} has one: is a closing brace missing above?"
        else:
            hint = _owner_hint(token.text, descriptor) or hint
        other, mix_up = _MIXED_UP.get(descriptor.name, ("", None))
        if other and token.text in descriptor.file.message_types_by_name[other].fields_by_name:
            hint = mix_up
        self._fail(token, f"{descriptor.name} has no field {_shown(token)}",
                   remedy=fork_hint(token.text, descriptor.name) or hint or NO_SUCH_FIELD)

    def _fail(self, token: Token, message: str, *, got: str | None = None,
              wanted: str | None = None, remedy: str | None = None,
              fatal: bool = False) -> NoReturn:
        self._fatal = self._fatal or fatal
        if token.kind == "mark" and token.text in "\"'":
            message, got = "this string is not closed on its line", None
        line, column = self.positions.where(token.offset)
        raise PrototxtError(message, where=f"{self.file}:{line}:{column}", got=got, wanted=wanted,
                            remedy=remedy)


@dataclass(frozen=True)
class _Field:
    """What the grammar asks of a field; `required` names fields that its message must have."""

    name: str
    descriptor: FieldDescriptor
    repeated: bool
    is_message: bool
    is_string: bool
    required: tuple[str, ...]
    read: Callable[[Token], Any]


@cache
def _fields_of(descriptor: Descriptor) -> dict[str, _Field]:
    return {field.name: _field_of(field) for field in descriptor.fields}


def _field_of(field: FieldDescriptor) -> _Field:
    inner = field.message_type
    required = () if inner is None else tuple(one.name for one in inner.fields if _is_required(one))
    return _Field(field.name, field, _is_repeated(field), inner is not None, is_string(field),
                  required, value_reader(field) if inner is None else _no_value)


def _no_value(token: Token) -> NoReturn:
    raise AssertionError("a message has fields, not a value")


def _is_required(field: FieldDescriptor) -> bool:
    required = getattr(field, "is_required", None)
    return field.label == FieldDescriptor.LABEL_REQUIRED if required is None else bool(required)


def _is_repeated(field: FieldDescriptor) -> bool:
    # `label` is deprecated in protobuf 6 and gone later; `is_repeated` is absent before 6.
    repeated = getattr(field, "is_repeated", None)
    return field.label == FieldDescriptor.LABEL_REPEATED if repeated is None else bool(repeated)


def _shown(token: Token) -> str:
    text = token.text if len(token.text) <= _SHOWN else f"{token.text[:_SHOWN]}…"
    return text if token.kind in ("end", "string") else f"'{text}'"


def _owner_hint(name: str, descriptor: Descriptor) -> str | None:
    """Say which messages of a layer have a field that stands outside of them."""
    if descriptor.name == "LayerParameter" and name in ("blobs_lr", "weight_decay"):
        return "That is for the old 'layers'; here write param { lr_mult: … decay_mult: … }"
    if descriptor.name == "ParamSpec" and name in ("lr", "decay"):
        return f"Did you mean '{name}_mult'?"
    owners = [field.name for field in descriptor.fields
              if field.name.endswith("_param") and name in field.message_type.fields_by_name]
    if not owners or descriptor.name != "LayerParameter":
        return None
    shown = ", ".join(owners[:4]) + (", …" if len(owners) > 4 else "")
    return f"It stands inside the layer's own message, one of {shown}"
