"""Penn Treebank tokens of captions, without Java."""
from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from .ptb_rules import CONTRACTION, RULES

# What the COCO caption evaluation leaves out. Brackets stay, because they are lower-cased to -lrb-
# before this list is looked at.
PUNCTUATION = frozenset(["''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!",
                         ",", ":", "-", "--", "...", ";"])

_BRACKETS = {"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"}
_WRITTEN = {
    '"': "''", "\u00ab": "''", "\u00bb": "''", "\u201c": "''", "\u201d": "''", "\u0093": "''",
    "\u0094": "''", "\u2018": "'", "\u2019": "'", "\u201b": "'", "\u2039": "'", "\u203a": "'",
    "\u0091": "'", "\u0092": "'", "\u2013": "--", "\u2014": "--", "\u2015": "--", "\u0096": "--",
    "\u0097": "--", "\u2026": "...", "\u00ad": "-", "\u2010": "", "\u2011": "",
    "\u00bc": "1/4", "\u00bd": "1/2", "\u00be": "3/4", "\u2153": "1/3", "\u2154": "2/3",
    "\u0080": "$", "\u00a4": "$", "\u20a0": "$", "\u20ac": "$", "\u00a3": "#", "\u00a2": "cents",
    "&amp;": "&", "&quot;": "''", "&apos;": "'", "&lt;": "<", "&gt;": ">", "&nbsp;": "",
    "&mdash;": "--", "&ndash;": "--",
}
_IN_WORDS = str.maketrans({"\u00ad": "", " ": "\u00a0", "\u2044": "/", **_BRACKETS})
_APOSTROPHES = str.maketrans("\u2019\u0092", "''")
# Text in which what is a token may depend on what is beyond a blank: fractions, phone numbers,
# markup, "no. 5", "b. The".
_ACROSS_BLANKS = re.compile(r"\d\)?[ \u00a0]\d|<|[.] [\d.]|\b[A-Za-z]\. [A-Z]")
_BLANKS = re.compile(r"[\s\u200b]+")


class PTBTokenizer:
    """Splits captions into lower-case tokens, remembering the words it has seen."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, ...]] = {}

    def __call__(self, caption: str) -> list[str]:
        """Return the tokens of one caption, punctuation left out.

        Args:
            caption: any text; line breaks count as blanks.

        Source: COCO caption evaluation (PTBTokenizer with ``-lowerCase``, then its list of
        punctuation).
        """
        if _ACROSS_BLANKS.search(caption):
            return list(_lex(_BLANKS.sub(" ", caption)))
        tokens: list[str] = []
        seen = self._seen
        for piece in caption.split():
            known = seen.get(piece)
            if known is None:
                known = seen[piece] = _lex(piece)
            tokens += known
        return tokens

    def many(self, captions: Iterable[str]) -> list[list[str]]:
        """Return the tokens of each caption."""
        return [self(caption) for caption in captions]


def _lex(text: str) -> tuple[str, ...]:
    tokens: list[str] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        end = position
        reach = 0
        for rule in RULES:
            match = rule.match(text, position)
            if match is not None and match.end() - position > reach:
                reach = match.end() - position
                # A group is the token; the rest of the match only tells that it is one.
                end = match.end(match.lastindex and _first_group(match) or 0)
        word = _written(text[position:end])
        tokens += [part for part in word.split(" ") if part and part not in PUNCTUATION]
        position = end
    return tuple(tokens)


def _first_group(match: re.Match[str]) -> int:
    return next(i for i in range(1, match.re.groups + 1) if match.group(i) is not None)


def _written(token: str) -> str:
    """Return a token as the evaluation writes it; nothing for characters it does not know."""
    if token in _WRITTEN:
        return _WRITTEN[token]
    if len(token) == 1 and not _is_known(token):
        return ""
    if token.startswith("--") or token.startswith(("...", ". .")):
        return "--" if token[0] == "-" else "..."
    if CONTRACTION.fullmatch(token):
        token = token.translate(_APOSTROPHES)
    return token.translate(_IN_WORDS).lower()


def _is_known(character: str) -> bool:
    if character.isalnum() or "!" <= character <= "~":
        return True
    code = ord(character)
    return code <= 0xFFFF and unicodedata.category(character)[0] in "SPN" and (
        0xA1 <= code <= 0xFF or 0x2016 <= code <= 0x2BFF)
