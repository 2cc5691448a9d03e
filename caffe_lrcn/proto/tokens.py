"""Tokens of protobuf text format, and what can be told of them without the schema."""
from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

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
_KINDS = ("", *_TOKEN.groupindex)
_STRING_PIECE = {'"': re.compile(r'(?:[^"\n\\]*\\.){,1000}[^"\n\\]*'),
                 "'": re.compile(r"(?:[^'\n\\]*\\.){,1000}[^'\n\\]*")}


def tokenise(text: str) -> list[Token]:
    """Return all tokens but blanks and comments, and one for the end."""
    tokens: list[Token] = []
    start: int | None = 0
    while start is not None:
        start = _up_to_escapes(text, start, tokens)
    return [*tokens, Token("end", "the end of the file", len(text))]


def _up_to_escapes(text: str, start: int, tokens: list[Token]) -> int | None:
    """Add tokens up to the first string with escapes; return the offset behind it."""
    new, add = tuple.__new__, tokens.append  # of millions of tokens
    for match in _TOKEN.finditer(text, start):
        index = match.lastindex or 0
        kind, (offset, end) = _KINDS[index], match.span(index)
        if kind == "mark" and text[offset] in "\"'":
            end = offset + 1 + sum(map(len, _pieces(text, offset)))
            if text[end:end + 1] == text[offset]:
                tokens.append(Token("string", text[offset:end + 1], offset))
                return end + 1
            end = offset + 1
        if kind != "blank":
            add(new(Token, (kind, text[offset:end], offset)))
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
    for token, following in zip(tokens, tokens[1:], strict=False):
        if token.text in CLOSING:
            depth += 1
        elif token.text in CLOSING.values():
            depth = max(depth - 1, 0)
        elif token.kind == "word" and not depth and following.text in (":", *CLOSING):
            names.add(token.text)
    return names


def field_end(tokens: list[Token], start: int, lines: list[int]) -> int | None:
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
