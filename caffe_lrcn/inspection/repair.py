"""Read a definition past its errors: each wrong field is noted, blanked out, and left aside."""
from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from google.protobuf.message import Message

from ..errors import PrototxtError
from ..proto import caffe_pb2
from ..proto.places import Place
from ..proto.scanner import Scanner, Span
from ..proto.tokens import top_level_names
from .problems import Problem

_HEAD = 1 << 16  # characters that mostly tell what a text is


@dataclass
class Repaired:
    """A text whose wrong fields are blanked out, so that it parses.

    Args:
        text: the text, every line and column where it was; None if its syntax is beyond that.
        place: the place of the message that was read from it.
        problems: one for each wrong field.
        damaged: places of the top-level messages that lost a field.
    """

    text: str | None
    place: Place
    problems: list[Problem] = field(default_factory=list)
    damaged: set[str] = field(default_factory=set)


def repair(text: str, message: Message, file: str) -> Repaired:
    """Read ``text`` into ``message``; what the message cannot hold is blanked out.

    Args:
        text: a prototxt.
        message: an empty message of the type that the text should be.
        file: what errors call the text.
    """
    result = Repaired(text, Place(file))
    while result.text is not None:
        message.Clear()
        wrong: list[tuple[PrototxtError, Span | None]] = []
        scanner = Scanner(result.text, file, lambda error, span, to=wrong: to.append((error, span)))
        try:
            result.place = Place(file, scanner.scan(message))
        except PrototxtError as error:
            wrong.append((error, None))
        if not wrong:
            break
        _take_out(result, scanner, message, wrong)
    return result


def is_solver(text: str) -> bool:
    """Tell whether a text is a solver's definition rather than a net's, by its top-level fields."""
    net, solver = (set(kind.DESCRIPTOR.fields_by_name)
                   for kind in (caffe_pb2.NetParameter, caffe_pb2.SolverParameter))
    for part in (text[:_HEAD], text):
        names = top_level_names(part)
        if difference := len(names & solver) - len(names & net):
            return difference > 0
    return False


def _take_out(result: Repaired, scanner: Scanner, message: Message,
              wrong: list[tuple[PrototxtError, Span | None]]) -> None:
    """Note wrong fields and blank them out; one without a span leaves no text."""
    spans = []
    for error, span in wrong:
        owner = scanner.within if span is None else span.owner
        error.layer = error.layer or _layer_name(message, owner)
        result.problems.append(Problem.from_error(error))
        if span is not None:
            line, column = scanner.positions.where(span.top)
            result.damaged.add(f"{scanner.file}:{line}:{column}")
            spans.append((span.start, span.end))
    result.text = _blanked(result.text or "", spans) if len(spans) == len(wrong) else None


def _blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return a text with blanks in these spans; lines stay where they are."""
    pieces, done = [], 0
    for start, end in sorted(spans):
        pieces += [text[done:start], re.sub(r"[^\n]", " ", text[max(start, done):end])]
        done = max(end, done)
    return "".join([*pieces, text[done:]])


def _layer_name(message: Message, path: tuple[str | int, ...]) -> str | None:
    """Return the name of the layer that a message is or belongs to, if it is one with a name."""
    if len(path) < 2 or path[0] not in ("layer", "layers"):
        return None
    return getattr(message, path[0])[path[1]].name or None
