"""METEOR's table of phrases that mean the same."""
from __future__ import annotations

import gzip
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path

from ..errors import DataError

_LINES = 3


class ParaphraseTable:
    """Phrases and their paraphrases.

    Args:
        pairs: (phrase, paraphrase), each a tuple of words, in the table's order.
    """

    def __init__(self, pairs: Iterator[tuple[tuple[str, ...], tuple[str, ...]]]) -> None:
        self._by_phrase: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for phrase, paraphrase in pairs:
            self._by_phrase.setdefault(phrase, []).append(paraphrase)
        self._lengths = sorted({len(phrase) for phrase in self._by_phrase})

    @classmethod
    def read(cls, path: str | Path, words: Collection[str]) -> ParaphraseTable:
        """Read a table of three lines an entry: probability, phrase, paraphrase.

        Args:
            path: the table, compressed with gzip or plain.
            words: the words in use; an entry with any other is of no use and is left out.

        Raises:
            DataError: a file that cannot be read or that breaks off within an entry.
        """
        return cls(_entries(path, frozenset(words)))

    def occurrences(self, source: Sequence[str],
                    target: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
        """Yield (start, length, place, width) for each phrase at ``start`` of ``source`` that has
        a paraphrase at ``place`` of ``target``."""
        source, target = tuple(source), tuple(target)
        for start in range(len(source)):
            for length in self._lengths:
                if start + length > len(source):
                    break
                for other in self._by_phrase.get(source[start:start + length], ()):
                    for place in range(len(target) - len(other) + 1):
                        if target[place:place + len(other)] == other:
                            yield start, length, place, len(other)


def _entries(path: str | Path, words: frozenset[str],
             ) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    try:
        with open(path, "rb") as start:
            opener = gzip.open if start.read(2) == b"\x1f\x8b" else open
        with opener(path, "rt", encoding="utf-8") as file:
            number = 0
            while entry := list(islice(file, _LINES)):
                number += len(entry)
                if len(entry) < _LINES:
                    raise DataError("the paraphrase table breaks off", where=f"{path}:{number}",
                                    wanted="probability, phrase, paraphrase: three lines an entry")
                phrase, other = tuple(entry[1].split()), tuple(entry[2].split())
                if words.issuperset(phrase) and words.issuperset(other):
                    yield phrase, other
    except (OSError, EOFError, UnicodeDecodeError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError("cannot read the paraphrase table", where=path,
                        got=getattr(error, "strerror", None) or error) from error
