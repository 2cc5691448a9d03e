"""The words of a sentence as METEOR sees them: its own splitting, stems and function words."""
from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Synonyms = Callable[[str], frozenset]

# Frequent English words, which count less than the others. Source: METEOR 1.5.
FUNCTION_WORDS = frozenset("""
the , . to of and a in that for " is on 's it with was as said at he by be from have has are his
but an this not i will \u2019 they ) -rrb- ( -lrb- who their had we which were been more or s its
would about new one after you : also up when there than $ all out her people she year two - can if
last first \u201c over other \u201d into some what so -- no time years could ? 't \u2014 '
""".split())

_KEEP_DOT = frozenset(["v", "vs", "i.e", "rev", "e.g"])
_APART = re.compile(r"([^\w\s.'`,\-]|_)")
_COMMA = re.compile(r"(?<!\d),|,(?!\d)")
_DASH = re.compile(r"(?<=[^\W\d_]|\.)-(?=[^\W\d_])")
_LETTER = r"[^\W\d_]"
_INSIDE = re.compile(rf"(?<={_LETTER})'(?={_LETTER})|(?<=\d)'(?=s)")
_OUTSIDE = re.compile(rf"(?<!{_LETTER})(?<!\d)'(?={_LETTER})|(?<={_LETTER})'(?!{_LETTER})"
                      rf"|(?<!{_LETTER})'(?!{_LETTER})")


@dataclass
class Sentence:
    """One sentence, ready to be aligned.

    Args:
        words: its words.
        stems: their stems.
        synsets: per word the groups of synonyms it belongs to; empty without a dictionary.
        function: per word whether it is a function word.
        places: where each stem stands.
        bits: the same of each word, as a set of bits.
    """

    words: tuple[str, ...]
    stems: tuple[str, ...]
    synsets: tuple[frozenset, ...]
    function: tuple[bool, ...]
    places: dict[str, list[int]]
    bits: dict[str, int]


class Preparer:
    """Makes ``Sentence`` objects, remembering stems and synonyms.

    Args:
        synonyms: gives the groups of synonyms that a word belongs to; None for no dictionary.
    """

    def __init__(self, synonyms: Synonyms | None = None) -> None:
        from nltk.stem.snowball import EnglishStemmer
        self._stem = EnglishStemmer().stem
        self._synonyms = synonyms
        self._known: dict[str, tuple[str, frozenset, bool]] = {}

    def __call__(self, text: str) -> Sentence:
        """Return the prepared form of a tokenised sentence."""
        words = tuple(split_words(text))
        known = [self._known.get(word) or self._look_up(word) for word in words]
        stems = tuple([stem for stem, _, _ in known])
        places: dict[str, list[int]] = {}
        bits: dict[str, int] = {}
        for place, (word, stem) in enumerate(zip(words, stems, strict=True)):
            places.setdefault(stem, []).append(place)
            bits[word] = bits.get(word, 0) | 1 << place
        return Sentence(words, stems, tuple([synsets for _, synsets, _ in known]),
                        tuple([function for _, _, function in known]), places, bits)

    def _look_up(self, word: str) -> tuple[str, frozenset, bool]:
        synsets = self._synonyms(word) if self._synonyms else frozenset()
        found = self._known[word] = (self._stem(word), synsets, word in FUNCTION_WORDS)
        return found


def split_words(text: str) -> Sequence[str]:
    """Return the words of a tokenised, lower-case sentence in METEOR's own splitting.

    Hyphenated words fall apart, apostrophes start a new word, abbreviations lose their dots.

    Source: METEOR 1.5, option ``-norm``, as the COCO caption evaluation runs it.
    """
    if text.isascii() and text.replace(" ", "").isalpha():
        return text.split()
    line = f" {text} ".replace("`", "'")
    line = _COMMA.sub(" , ", _DASH.sub(" ", _APART.sub(r" \1 ", line)))
    words = _INSIDE.sub(" '", _OUTSIDE.sub(" ' ", line)).split()
    return [part for i, word in enumerate(words)
            for part in _without_dot(word, words[i + 1] if i + 1 < len(words) else "").split()]


def _without_dot(word: str, following: str) -> str:
    stem = word[:-1]
    if not word.endswith(".") or not stem:
        return word
    if "." in stem and any(character.isalpha() for character in stem):
        return word.replace(".", "")
    if stem in _KEEP_DOT or "a" <= following[:1] <= "z":
        return word
    return f"{stem} ."
