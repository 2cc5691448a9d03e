"""Text that somebody else made (names, captions, paths), made harmless to show.

A terminal obeys escape sequences, hides what an override of the writing direction reorders, and
cannot show half characters; XML forbids control characters. They become ``\\x1b`` and the like.
"""
from __future__ import annotations

import re
from typing import Any, TextIO

# Control characters, line and paragraph separators, overrides of the direction, lone surrogates
# (which stand for bytes of a file name that are not UTF-8).
_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_UNSAFE = re.compile(f"[\t\n{_CONTROL}]")
_LONG_WORD = re.compile(r"\S{500,}")
_LONG_TEXT = 8000
_UNSAFE_IN_LINES = re.compile(f"[{_CONTROL}]")


def printable(name: str) -> str:
    """Return text for one line, with all control characters spelled out."""
    return _UNSAFE.sub(_spelled, name)


def printable_lines(text: str) -> str:
    """Return text of several lines: tabs and line ends stay what they are."""
    return _UNSAFE_IN_LINES.sub(_spelled, text)


def shortened(text: str) -> str:
    """Return a message without the middle of names and values that would fill a screen."""
    text = _LONG_WORD.sub(lambda match: f"{match.group()[:300]}…{match.group()[-100:]}", text)
    return text if len(text) <= _LONG_TEXT else f"{text[:_LONG_TEXT - 1000]} … {text[-1000:]}"


def _spelled(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class PrintableStream:
    """A text stream that spells out control characters, and characters that it cannot encode."""

    def __init__(self, stream: TextIO) -> None:
        #: Where sequences of our own, such as colours, are written to.
        self.raw = stream

    def write(self, text: str) -> int:
        """Write ``text``; return its length, as a stream does."""
        encoding = getattr(self.raw, "encoding", None) or "utf-8"
        self.raw.write(printable_lines(text).encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)
