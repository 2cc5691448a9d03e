"""Captions as parallel streams of words over time, in HDF5 files that HDF5Data reads.

A file holds arrays of shape (rows, streams): row t is one time step of all streams, and a batch of
T rows is what a recurrent layer sees at once. A stream is filled caption after caption; whichever
stream ends first takes the next caption.
"""
from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import rng
from .vocabulary import EOS

#: Rows of one file.
FILE_ROWS = 100_000
#: What fills a stream where it has no caption: both losses and Embed skip it.
PADDING = {"cont": 0, "cont_sentence": 0, "input_sentence": -1, "target_sentence": -1,
           "stage_indicators": 0, "hashed_image_path": 0}


@dataclass(frozen=True)
class Pair:
    """A picture and one of its captions as word ids.

    Args:
        path: the picture's file.
        words: ids without the closing ``<EOS>``.
    """

    path: str
    words: tuple[int, ...]

    @property
    def label(self) -> int:
        """The dummy label of the picture: its path's hash."""
        return picture_hash(self.path)

    @property
    def rows(self) -> int:
        """Steps that it takes without padding: its words and ``<EOS>``."""
        return len(self.words) + 1


def picture_hash(path: str) -> int:
    """Return the SHA-1 of a path modulo 100,000.

    CAFFE-QUIRK: two paths may share a hash; it only lets a reader check that pictures and words
    are in step.
    """
    return int(hashlib.sha1(path.encode()).hexdigest(), 16) % 100_000


def encode(pair: Pair, timesteps: int | None = None) -> dict[str, list[int]]:
    """Return the streams of one caption of L words, by data set name.

    Without ``timesteps`` each has L + 1 entries: inputs are ``<EOS>`` and the words, targets the
    words and ``<EOS>``, ``cont_sentence`` is 0 at the first and 1 after it. ``cont`` stays 1 in
    padding, where ``cont_sentence`` is 0.

    Args:
        pair: picture and caption.
        timesteps: pad or cut every stream to this length.
    """
    words, length = list(pair.words), len(pair.words) + 1
    streams = {"cont_sentence": [0] + [1] * len(words),
               "input_sentence": [EOS, *words],
               "target_sentence": [*words, EOS],
               "stage_indicators": [1] * length}
    if timesteps is not None:
        streams = {name: (values + [PADDING[name]] * (timesteps - length))[:timesteps]
                   for name, values in streams.items()}
    count = len(streams["cont_sentence"])
    return streams | {"cont": [0] + [1] * (count - 1),
                      "hashed_image_path": [pair.label] * count}


def align(pairs: Sequence[Pair], streams: int, seed: int) -> list[Pair]:
    """Return the pairs shuffled, after repeating random ones up to a multiple of ``streams``."""
    random = rng.generator(seed, "caption order")
    missing = -len(pairs) % streams
    whole = [*pairs, *(pairs[i] for i in random.integers(len(pairs), size=missing))]
    return [whole[i] for i in random.permutation(len(whole))]


def place(lengths: Sequence[int], streams: int) -> list[tuple[int, int]]:
    """Return the first row and the stream of each caption.

    The next caption goes to the stream that is free at the earliest row; among equals, to the one
    with the lowest number.

    Args:
        lengths: rows that each caption takes.
        streams: how many there are.
    """
    free = [(0, column) for column in range(streams)]
    places = []
    for length in lengths:
        row, column = free[0]
        places.append((row, column))
        heapq.heapreplace(free, (row + length, column))
    return places


@dataclass(frozen=True)
class Layout:
    """How pairs are laid out in rows, streams and files.

    Args:
        pairs: in the order in which they are fetched.
        streams: captions side by side (columns).
        timesteps: rows of every caption, or ``None`` for as many as it needs.
        file_rows: most rows of one file.
        strict: reproduce the original writer, which drops the rows after the file in which the
            last caption begins, and fills ended streams with ``<EOS>`` to ``<EOS>`` pairs.
        encode: gives the streams of a pair, as the function of this name does.
        padding: what fills each stream where it has no pair.
    """

    pairs: Sequence[Pair]
    streams: int
    timesteps: int | None
    file_rows: int = FILE_ROWS
    strict: bool = False
    encode: Callable[[Any, int | None], dict[str, list[int]]] = encode
    padding: Mapping[str, int] = field(default_factory=lambda: PADDING)
    places: list[tuple[int, int]] = field(init=False)
    rows: int = field(init=False)

    def __post_init__(self) -> None:
        lengths = [self.timesteps or pair.rows for pair in self.pairs]
        places = place(lengths, self.streams)
        rows = max(row + length for (row, _), length in zip(places, lengths, strict=True))
        if self.strict:
            # CAFFE-QUIRK: the original stops writing once its source is exhausted.
            rows = min(rows, (places[-1][0] // self.file_rows + 1) * self.file_rows)
        object.__setattr__(self, "places", places)
        object.__setattr__(self, "rows", rows)

    def files(self) -> Iterator[dict[str, np.ndarray]]:
        """Yield the arrays of each file: float32 of shape (rows, streams), by data set name."""
        first = 0
        for start in range(0, self.rows, self.file_rows):
            end = min(start + self.file_rows, self.rows)
            arrays, first = self._file(start, end, first)
            yield arrays

    def _file(self, start: int, end: int, first: int) -> tuple[dict[str, np.ndarray], int]:
        """Return rows ``start`` to ``end``, and the first pair that the next file needs."""
        shape = (end - start, self.streams)
        arrays = {name: np.full(shape, 0 if self.strict else value, np.float32)
                  for name, value in self.padding.items()}
        following = len(self.pairs)
        for index in range(first, len(self.pairs)):
            row, column = self.places[index]
            if row >= end:
                following = min(following, index)
                break
            encoded = self.encode(self.pairs[index], self.timesteps)
            length = len(encoded["cont_sentence"])
            if row + length > end:
                following = min(following, index)
            low, high = max(row, start), min(row + length, end)
            for name, values in encoded.items():
                if low < high:
                    arrays[name][low - start:high - start, column] = values[low - row:high - row]
        arrays["buffer_size"] = np.array([self.streams], np.float32)
        return arrays, following
