"""Read a definition past its errors: each wrong field is noted, blanked out, and left aside."""
from __future__ import annotations

import re
from dataclasses import dataclass, field

from google.protobuf.message import Message

from ..errors import PrototxtError
from ..proto import caffe_pb2
from ..proto.scanner import Scanner, Span
from ..proto.text import parse_message
from ..proto.tokens import top_level_names
from .problems import Problem

_NAME = re.compile(r"""name\s*:\s*("[^"\n]*"|'[^'\n]*'|\w+)""")


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


def repair(text: str, message: Message, file: str) -> Repaired:
    """Blank out what ``message`` cannot hold.

    Args:
        text: a prototxt.
        message: an empty message of the type that the text should be.
        file: what errors call the text.
    """
    result = Repaired(text)
    while result.text is not None:
        scanner, wrong = _find_wrong(result.text, message, file)
        if not wrong:
            break
        _take_out(result, scanner, wrong)
    return result


def is_solver(text: str) -> bool:
    """Tell whether a text is a solver's definition rather than a net's, by its top-level fields."""
    names = top_level_names(text)
    net, solver = caffe_pb2.NetParameter.DESCRIPTOR, caffe_pb2.SolverParameter.DESCRIPTOR
    return len(names & set(solver.fields_by_name)) > len(names & set(net.fields_by_name))


def _find_wrong(text: str, message: Message,
                file: str) -> tuple[Scanner, list[tuple[PrototxtError, Span | None]]]:
    """Return errors, each with the field to blame; without one the text is beyond repair."""
    wrong: list[tuple[PrototxtError, Span | None]] = []
    scanner = Scanner(text, file, lambda error, span: wrong.append((error, span)))
    try:
        scanner.scan(message.DESCRIPTOR)
    except PrototxtError as error:
        return scanner, [*wrong, (error, None)]
    if not wrong:
        # protobuf's own parser looks further, and ends at the first error.
        try:
            parse_message(text, type(message)(), file)
        except PrototxtError as error:
            wrong.append((error, _field_at(scanner, text, error)))
    return scanner, wrong


def _take_out(result: Repaired, scanner: Scanner,
              wrong: list[tuple[PrototxtError, Span | None]]) -> None:
    """Note wrong fields and blank them out; one without a span leaves no text."""
    text = whole = result.text or ""
    for error, span in wrong:
        owner = scanner.within if span is None else span.owner
        error.layer = error.layer or _layer_name(scanner, whole, owner)
        result.problems.append(Problem.from_error(error))
        if span is not None:
            line, column = scanner.where(span.top)
            result.damaged.add(f"{scanner.file}:{line}:{column}")
            blank = re.sub(r"[^\n]", " ", text[span.start:span.end])
            text = text[:span.start] + blank + text[span.end:]
    result.text = None if any(span is None for _, span in wrong) else text


def _layer_name(scanner: Scanner, text: str, path: tuple[str | int, ...]) -> str | None:
    """Return the name of the layer that a message is or belongs to, if it is one with a name."""
    place = scanner.positions.get((*path[:2], "name"))
    if place is None or path[:1] not in (("layer",), ("layers",)):
        return None
    found = _NAME.match(text, _offset(text, *place))
    return found[1].strip("\"'") if found else None


def _field_at(scanner: Scanner, text: str, error: PrototxtError) -> Span | None:
    """Return the field to take out for an error of protobuf's; None if none alone is to blame."""
    found = re.fullmatch(r":(\d+):(\d+)", str(error.where).removeprefix(scanner.file))
    if not found:
        return None
    offset = _offset(text, int(found[1]), int(found[2]))
    around = [span for span in scanner.fields if span.start <= offset < span.end]
    inner = min(around, key=lambda span: span.end - span.start, default=None)
    return inner if inner and (inner.start == offset or not inner.is_message) else None


def _offset(text: str, line: int, column: int) -> int:
    return sum(len(before) + 1 for before in text.split("\n")[:line - 1]) + column - 1
