"""Scan protobuf text format against the schema: positions of all fields, and errors with a place.

protobuf's own parser tells positions only for syntax errors. This scanner walks the same grammar
first, checks names and values, and notes where every field stands; the values themselves are then
read by protobuf (text.py).
"""
from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from caffe_lrcn.errors import PrototxtError
from caffe_lrcn.hints import did_you_mean, misspelt, nearest
from caffe_lrcn.proto.forks import fork_hint
from caffe_lrcn.proto.places import Path
from caffe_lrcn.proto.scalars import Token, value_problem
from caffe_lrcn.proto.tokens import CLOSING, field_end, tokenise

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
    is_message: bool = False


class Scanner:
    """One pass over a text; `positions` holds line and column of each field by its path.

    Args:
        text, file: the definition, and what errors call it.
        on_error: gets the error of a wrong field and where that stands, which is then passed over;
            without it, and where the syntax leaves no way to go on, the error is raised.

    `tokens` are those of the text. With `on_error`, `fields` holds the spans of all fields that
    are right; `within` is the path of the message that was scanned last.
    """

    def __init__(self, text: str, file: str,
                 on_error: Callable[[PrototxtError, Span], None] | None = None) -> None:
        self.file = file
        self.positions: dict[Path, tuple[int, int]] = {}
        self.fields: list[Span] = []
        self.within: Path = ()
        self._on_error, self._fatal = on_error, False
        self._lines = [0] + [match.end() for match in re.finditer("\n", text)]
        self.tokens = tokenise(text)
        self._next, self._top = 0, 0
        self._root: Descriptor | None = None

    def scan(self, descriptor: Descriptor) -> dict[Path, tuple[int, int]]:
        """Scan the whole text as one message of this type; return the positions.

        Raises:
            PrototxtError: a name, a value or the syntax is wrong; with file:line:column.
        """
        self._root = descriptor
        self._message(descriptor, (), None)
        return self.positions

    def where(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1, of an offset into the text."""
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    # -- grammar -------------------------------------------------------------------------

    def _message(self, descriptor: Descriptor, path: Path, opening: Token | None) -> None:
        """Scan fields up to the brace that closes `opening` (None: up to the end)."""
        fields = descriptor.fields_by_name
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
                    self._unknown_field(token, descriptor)
                self._field(field, token, path + (field.name,), counts)
            except PrototxtError as error:
                self._pass_over(start, path, error)
            else:
                if self._on_error:
                    self.fields.append(Span(token.offset, self._end(self._next - 1), self._top,
                                            path, field.message_type is not None))
            if self._peek().text in (",", ";"):
                self._take()

    def _pass_over(self, start: int, path: Path, error: PrototxtError) -> None:
        """Go on after the wrong field that begins with token `start`."""
        end = field_end(self.tokens, start, self._lines)
        if self._on_error is None or self._fatal or end is None:
            self._fatal = True
            raise error
        self._next = end
        last = end if self._peek().text in (",", ";") else end - 1
        self._on_error(error, Span(self.tokens[start].offset, self._end(last), self._top, path))

    def _end(self, last: int) -> int:
        """Return the offset after a token."""
        return self.tokens[last].offset + len(self.tokens[last].text)

    def _field(self, field: FieldDescriptor, token: Token, path: Path,
               counts: dict[str, int]) -> None:
        is_message = field.message_type is not None
        seen = counts.get(field.name, 0)
        repeated = _is_repeated(field)
        if seen and not repeated:
            self._fail(token, f"field '{field.name}' takes one value, and this is the second",
                       remedy=f"The first is on line {self.positions[path][0]}; keep one of them")
        if self._peek().text == ":":
            self._take()
        elif not is_message:
            self._fail(self._peek(), f"a colon was expected after '{field.name}'",
                       got=_shown(self._peek()), fatal=True)
        value = self._message_value if is_message else self._scalar_value
        if not repeated:
            self.positions[path] = self.where(token.offset)
            counts[field.name] = 1
            value(field, path)
        elif self._peek().text == "[":
            counts[field.name] = seen + self._list(field, path, seen, value)
        else:
            self.positions[path + (seen,)] = self.where(token.offset)
            counts[field.name] = seen + 1
            value(field, path + (seen,))

    def _list(self, field: FieldDescriptor, path: Path, start: int,
              value: Callable[[FieldDescriptor, Path], None]) -> int:
        """Scan `[a, b]`; return how many elements there were."""
        self._take()
        if self._peek().text == "]":
            self._take()
            return 0
        number = 0
        while True:
            element = path + (start + number,)
            self.positions[element] = self.where(self._peek().offset)
            value(field, element)
            number += 1
            token = self._take()
            if token.text == "]":
                return number
            if token.text != ",":
                self._fail(token, f"',' or ']' was expected in the list of '{field.name}'",
                           got=_shown(token))

    def _message_value(self, field: FieldDescriptor, path: Path) -> None:
        token = self._take()
        if token.text not in CLOSING:
            self._fail(token, f"field '{field.name}' holds a message", got=_shown(token),
                       wanted=f"{field.name} {{ ... }}")
        self._message(field.message_type, path, token)

    def _scalar_value(self, field: FieldDescriptor, path: Path) -> None:
        while True:
            token = self._take()
            problem = value_problem(field, token)
            if problem:
                wanted, remedy = problem
                self._fail(token, f"wrong value for field '{field.name}'", got=_shown(token),
                           wanted=wanted, remedy=remedy)
            if token.kind != "string" or self._peek().kind != "string":
                return  # adjacent strings are joined

    def _close(self, token: Token, opening: Token | None, closing: str) -> None:
        if opening is None:
            if token.kind != "end":
                self._fail(token, f"'{token.text}' closes nothing",
                           remedy="Remove it, or look for a brace closed too early above",
                           fatal=True)
        elif token.text != closing:
            line, column = self.where(opening.offset)
            self._fail(token, f"the '{opening.text}' of line {line}, column {column} is not closed",
                       got=_shown(token), wanted=f"'{closing}'", fatal=True)

    # -- tokens and errors ---------------------------------------------------------------

    def _peek(self) -> Token:
        return self.tokens[self._next]

    def _take(self) -> Token:
        token = self.tokens[self._next]
        if token.kind != "end":
            self._next += 1
        return token

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
                   remedy=fork_hint(token.text, descriptor.name) or hint)

    def _fail(self, token: Token, message: str, *, got: str | None = None,
              wanted: str | None = None, remedy: str | None = None,
              fatal: bool = False) -> NoReturn:
        self._fatal = self._fatal or fatal
        if token.kind == "mark" and token.text in "\"'":
            message, got = "this string is not closed on its line", None
        line, column = self.where(token.offset)
        raise PrototxtError(message, where=f"{self.file}:{line}:{column}", got=got, wanted=wanted,
                            remedy=remedy)


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
