"""The words that a captioner knows, and their ids."""
from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import DataError, UsageError
from ..files import new_file, read_lines

EOS = 0
UNKNOWN = 1
EOS_WORD = "<EOS>"
UNKNOWN_WORD = "<unk>"
#: What S2VT's files call it.
_S2VT_UNKNOWN = "<en_unk>"


class Vocabulary:
    """Words by id: 0 is ``<EOS>`` (it starts and ends captions), 1 ``<unk>``, then the words.

    The file ``vocabulary.txt`` holds one word a line from ``<unk>`` on, so that a word's id is its
    line's index, counted from 0, plus 1.

    Args:
        words: the words with ids 2, 3, …, most frequent first.

    Source: the LRCN caption preparation script (``coco_to_hdf5_data.py``).
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = (EOS_WORD, UNKNOWN_WORD, *words)
        self._ids = {word: index for index, word in enumerate(self.words)}

    @classmethod
    def from_captions(cls, captions: Iterable[Sequence[str]], min_count: int = 5) -> Vocabulary:
        """Return the words that occur at least ``min_count`` times in tokenised captions.

        Words are ordered by falling count, equal counts alphabetically.
        """
        counts = Counter(word for caption in captions for word in caption)
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return cls(word for word, count in ranked if count >= min_count)

    @classmethod
    def read(cls, path: str | Path) -> Vocabulary:
        """Return the vocabulary in a ``vocabulary.txt``, or in one of S2VT's.

        Those of S2VT have ``<en_unk>`` in any line, and only the first word of a line counts.

        Raises:
            DataError: the file cannot be read, is not UTF-8, does not start with ``<unk>`` (and
                has no ``<en_unk>``), or holds a blank line or the same word twice.
        """
        try:
            # Not splitlines(), which would also cut at separators inside tokens.
            lines = read_lines(path).removesuffix("\n").split("\n")
        except OSError as error:
            raise DataError(f"cannot read the vocabulary: {error.strerror or error}",
                            where=path) from error
        except UnicodeDecodeError as error:
            raise DataError("the vocabulary is not UTF-8 text", where=path, got=error) from error
        firsts = [line.split(maxsplit=1)[0] if line.strip() else "" for line in lines]
        is_s2vt = _S2VT_UNKNOWN in firsts
        if is_s2vt:
            lines = firsts
        elif lines[0].strip() != UNKNOWN_WORD:
            raise DataError("not a vocabulary", where=f"{path}:1", got=repr(lines[0][:60]),
                            wanted=f"{UNKNOWN_WORD} on the first line")
        seen: dict[str, int] = {}
        for number, word in enumerate(lines, 1):
            if not word.strip():
                raise DataError("blank line in a vocabulary", where=f"{path}:{number}",
                                remedy="Ids are line numbers, so every line must hold a word.")
            if word in seen:
                raise DataError(f"'{word}' is already on line {seen[word]}",
                                where=f"{path}:{number}")
            seen[word] = number
        return cls(word for word in lines if word != _S2VT_UNKNOWN) if is_s2vt else cls(lines[1:])

    def write(self, path: str | Path) -> None:
        """Write ``vocabulary.txt``: one word a line, ``<unk>`` first.

        Raises:
            DataError: it cannot be written.
        """
        with new_file(path, DataError, "the vocabulary", newline="\n") as file:
            file.writelines(f"{word}\n" for word in self.words[UNKNOWN:])

    @property
    def sha256(self) -> str:
        """The SHA-256 of the words, in hexadecimal digits: the same ids mean the same words."""
        return hashlib.sha256("\n".join(self.words).encode()).hexdigest()

    def __len__(self) -> int:
        """Return the number of ids, ``<EOS>`` and ``<unk>`` included."""
        return len(self.words)

    def ids(self, tokens: Iterable[str]) -> list[int]:
        """Return the ids of tokens; unknown ones become 1."""
        return [self._ids.get(token, UNKNOWN) for token in tokens]

    def sentence(self, ids: Sequence[int]) -> str:
        """Return word ids as a sentence.

        A closing ``<EOS>`` becomes a full stop; a caption that was cut off ends in "...".
        An empty caption (a lone ``<EOS>``) is an empty sentence.

        Raises:
            UsageError: an id beyond the vocabulary.
        """
        for index in ids:
            if not 0 <= index < len(self):
                raise UsageError("the vocabulary has no such word", got=f"id {index}",
                                 wanted=f"0 to {len(self) - 1}",
                                 remedy="Use the vocabulary that the net was trained with.")
        closed = len(ids) > 0 and ids[-1] == EOS
        text = " ".join(self.words[index] for index in (ids[:-1] if closed else ids))
        if not text:
            return ""
        return text[0].upper() + text[1:] + ("." if closed else "...")
