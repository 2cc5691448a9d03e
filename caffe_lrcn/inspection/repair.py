"""Read a definition past its errors: each wrong field is noted, blanked out, and left aside."""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeVar

from google.protobuf.message import Message

from ..errors import PrototxtError
from ..proto import caffe_pb2
from ..proto.text import parse_message
from .problems import Problem

_M = TypeVar("_M", bound=Message)
_MOST = 200  # errors in one text; more would come from a file that is no definition at all
_TOKEN = re.compile(r"""
    (?P<blank>(?:\s+|\#[^\n]*)+)
  | (?P<word>[A-Za-z_0-9.+-]+)
  | (?P<string>"(?:[^"\n\\]|\\.)*"|'(?:[^'\n\\]|\\.)*')
  | (?P<mark>.)
""", re.VERBOSE)


@dataclass(frozen=True)
class Span:
    """A field in a text: its name, where it begins and ends, and how deep it lies (0: top)."""

    name: str
    start: int
    end: int
    depth: int
    is_message: bool


@dataclass
class Repaired:
    """A text whose wrong fields are blanked out, so that it parses.

    Args:
        text: the text, every line and column where it was; None if its syntax is beyond that.
        problems: one for each wrong field.
        damaged: places of the top-level messages that lost a field.
    """

    text: str | None
    problems: list[Problem] = field(default_factory=list)
    damaged: set[str] = field(default_factory=set)


def repair(text: str, message: _M, file: str) -> Repaired:
    """Blank out what ``message`` cannot hold, error after error.

    Args:
        text: a prototxt.
        message: an empty message of the type that the text should be.
        file: what errors call the text.
    """
    result = Repaired(text)
    for _ in range(_MOST):
        assert result.text is not None
        try:
            parse_message(result.text, type(message)(), file)
            return result
        except PrototxtError as error:
            offset = _offset(result.text, str(error.where), file)
            spans = find_fields(result.text)
            wrong = None if offset is None else _field_at(spans, offset)
            owner = next((span for span in spans if span.depth == 0 and wrong is not None
                          and span.start <= wrong.start < span.end), wrong)
            if owner is not None and owner.name in ("layer", "layers"):
                error.layer = _layer_name(result.text, spans, owner)
            result.problems.append(Problem.from_error(error))
            if wrong is None or owner is None:
                result.text = None
                return result
        result.damaged.add(f"{file}:{_line_column(result.text, owner.start)}")
        blank = re.sub(r"[^\n]", " ", result.text[wrong.start:wrong.end])
        result.text = result.text[:wrong.start] + blank + result.text[wrong.end:]
    result.text = None
    return result


def is_solver(text: str) -> bool:
    """Tell whether a text is a solver's definition rather than a net's, by its top-level fields."""
    names = {span.name for span in find_fields(text) if span.depth == 0}
    net, solver = caffe_pb2.NetParameter.DESCRIPTOR, caffe_pb2.SolverParameter.DESCRIPTOR
    return len(names & set(solver.fields_by_name)) > len(names & set(net.fields_by_name))


def find_fields(text: str) -> list[Span]:
    """Return all fields of a text, however nested, as far as its braces make sense."""
    tokens = [match for match in _TOKEN.finditer(text) if match.lastgroup != "blank"]
    spans: list[Span] = []
    open_fields: list[tuple[str, int]] = []
    position = 0
    while position < len(tokens):
        token = tokens[position]
        position += 1
        if token.group() in ("}", ">") and open_fields:
            name, start = open_fields.pop()
            spans.append(Span(name, start, token.end(), len(open_fields), True))
        elif token.lastgroup == "word":
            following = _text(tokens, position)
            value = _text(tokens, position + 1) if following == ":" else following
            if value in ("{", "<"):
                open_fields.append((token.group(), token.start()))
                position += 2 if following == ":" else 1
            elif following == ":":
                position, end = _value_end(tokens, position + 1)
                spans.append(Span(token.group(), token.start(), end, len(open_fields), False))
    return spans


def _layer_name(text: str, spans: list[Span], owner: Span) -> str | None:
    found = [text[span.start:span.end] for span in spans if span.depth == 1 and span.name == "name"
             and owner.start < span.start < owner.end]
    return found[0].partition(":")[2].strip(" \"'") if found else None


def _text(tokens: list[re.Match[str]], position: int) -> str:
    return tokens[position].group() if position < len(tokens) else ""


def _value_end(tokens: list[re.Match[str]], position: int) -> tuple[int, int]:
    """Return the index of the token after a scalar or a list, and the offset where that ends."""
    if position >= len(tokens):
        return position, tokens[-1].end()
    last = position
    if tokens[position].group() == "[":
        while last + 1 < len(tokens) and tokens[last].group() != "]":
            last += 1
    elif tokens[position].lastgroup == "string":
        while last + 1 < len(tokens) and tokens[last + 1].lastgroup == "string":
            last += 1
    elif tokens[position].group() in ("}", ">"):  # no value at all
        return position, tokens[position - 1].end()
    return last + 1, tokens[last].end()


def _field_at(spans: list[Span], offset: int) -> Span | None:
    """Return the field to take out for an error at ``offset``; None if none alone is to blame."""
    around = [span for span in spans if span.start <= offset < span.end]
    inner = min(around, key=lambda span: span.end - span.start, default=None)
    if inner is None or (inner.is_message and inner.start != offset):
        return None
    return inner


def _offset(text: str, where: str, file: str) -> int | None:
    found = re.fullmatch(r":(\d+):(\d+)", where.removeprefix(file))
    if not found:
        return None
    lines = text.split("\n")[:int(found[1]) - 1]
    return sum(len(line) + 1 for line in lines) + int(found[2]) - 1


def _line_column(text: str, offset: int) -> str:
    return f"{text.count(chr(10), 0, offset) + 1}:{offset - text.rfind(chr(10), 0, offset)}"
