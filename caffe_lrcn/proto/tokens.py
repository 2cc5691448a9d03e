"""Tokens of protobuf text format, and what can be told of them without the schema."""
from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from caffe_lrcn.proto.scalars import Token

CLOSING = {"{": "}", "<": ">"}
# A group that is repeated costs hundreds of bytes for each round. So here only sets of characters
# are repeated without bound, and strings with escapes are walked through in steps.
_TOKEN = re.compile(r"""
    \s* (?:
    (?P<word>[A-Za-z_][0-9A-Za-z_+-]*)
  | (?P<number>(?:[0-9+-]|\.[0-9])[0-9A-Za-z_.+-]*)
  | (?P<string>"[^"\n\\]*"|'[^'\n\\]*')
  | (?P<blank>\#[^\n]*|\Z)
  | (?P<mark>.) )
""", re.VERBOSE)
_KINDS = ("", *_TOKEN.groupindex, "end")
_STRING, _BLANK, _MARK, _END = map(_KINDS.index, ("string", "blank", "mark", "end"))
_new_tuple = tuple.__new__
_STRING_PIECE = {'"': re.compile(r'(?:[^"\n\\]*\\.){,1000}[^"\n\\]*'),
                 "'": re.compile(r"(?:[^'\n\\]*\\.){,1000}[^'\n\\]*")}


class Tokens:
    """The tokens of a text. Millions of objects would take far more memory than their offsets."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._kinds, self._starts, self._ends = bytearray(), array("q"), array("q")
        #: Append the kind (which counts the pattern's groups), the first offset, the one behind.
        self.add = self._kinds.append, self._starts.append, self._ends.append

    def __len__(self) -> int:
        return len(self._kinds)

    def __getitem__(self, number: int) -> Token:
        kind, start = self._kinds[number], self._starts[number]
        text = self._text[start:self._ends[number]] if kind != _END else "the end of the file"
        # Token(…) would do, in twice the time; there are millions.
        return _new_tuple(Token, (_KINDS[kind], text, start))


def tokenise(text: str) -> Tokens:
    """Return all tokens but blanks and comments, and one for the end."""
    tokens = Tokens(text)
    start: int | None = 0
    while start is not None:
        start = _up_to_escapes(text, start, tokens)
    for add, value in zip(tokens.add, (_END, len(text), len(text)), strict=True):
        add(value)
    return tokens


def _up_to_escapes(text: str, start: int, tokens: Tokens) -> int | None:
    """Add tokens up to the first string with escapes; return the offset behind it."""
    add_kind, add_start, add_end = tokens.add  # of millions of tokens
    for match in _TOKEN.finditer(text, start):
        index = match.lastindex or 0
        offset, end = match.span(index)
        if index == _MARK and text[offset] in _STRING_PIECE:
            end = offset + 1 + sum(map(len, _pieces(text, offset)))
            if text[end:end + 1] == text[offset]:
                add_kind(_STRING)
                add_start(offset)
                add_end(end + 1)
                return end + 1
            end = offset + 1
        if index != _BLANK:
            add_kind(index)
            add_start(offset)
            add_end(end)
    return None


def _pieces(text: str, start: int) -> Iterator[str]:
    """Yield what follows the quote at an offset, up to its end, cut before some backslashes."""
    pattern, at = _STRING_PIECE[text[start]], start + 1
    while (match := pattern.match(text, at)) and match[0]:
        yield match[0]
        at = match.end()


def top_level_names(text: str) -> set[str]:
    """Return the names of the fields that lie in no other field, as far as braces make sense."""
    tokens, names, depth = tokenise(text), set(), 0
    for number in range(len(tokens) - 1):
        token = tokens[number]
        if token.text in CLOSING:
            depth += 1
        elif token.text in CLOSING.values():
            depth = max(depth - 1, 0)
        elif token.kind == "word" and not depth and tokens[number + 1].text in (":", *CLOSING):
            names.add(token.text)
    return names


def field_end(tokens: Tokens, start: int, lines: Sequence[int]) -> int | None:
    """Return the number of the token after a field, whatever it holds; None if that is unclear."""
    value = start + 2 if tokens[start + 1].text == ":" else start + 1
    end, first = value, tokens[value]
    if first.text in CLOSING or (first.text == "[" and value == start + 2):
        depth = 0
        while tokens[end].kind != "end":
            depth += (tokens[end].text in ("[", *CLOSING)) - (
                tokens[end].text in ("]", *CLOSING.values()))
            end += 1
            if not depth:
                return end
        return None
    if value == start + 1 or first.kind == "end":
        return None
    if first.text in ("'", '"'):  # a string that is not closed: the rest of its line
        line = bisect_right(lines, first.offset)
        while tokens[end].kind != "end" and bisect_right(lines, tokens[end].offset) == line:
            end += 1
        return end
    if first.text in CLOSING.values():
        return value
    while first.kind == "string" and tokens[end + 1].kind == "string":
        end += 1
    return end + 1
