"""Streams of Figure 5 of the paper: roles and sentences over time, in HDF5 files.

A split's folder holds, for the same sentences in the same order,

    batch_<k>.h5      words alone, as captions have them            hdf5_chunk_list.txt
    symbols_<k>.h5    roles as symbols, then words: for (a)         symbols.txt
    max_<k>.h5        ``roles``, one-hot vectors: for (b)           max.txt
    prob_<k>.h5       ``roles``, probabilities, if known: for (c)   prob.txt

and the lists of these files. Arrays of words and symbols are (rows, N) for N streams; a batch of T'
rows belongs to a batch of N vectors (sentences, S).

Source: sections 3 and 6 of the paper.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import DataError
from ...files import new_folder, sync
from ...hdf5_files import new_hdf5
from ...language.caption_files import Caption
from ...language.streams import FILE_ROWS, Layout, Pair, align
from ...language.streams import PADDING as CAPTION_PADDING
from ...language.streams import encode as encode_words
from ...language.vocabulary import EOS, UNKNOWN, Vocabulary
from ...language.vocabulary_card import stamp
from ..captioning.prepare import Recipe, Report, tokenized, write_vocabulary
from .role_records import check_same_slots
from .roles import Roles
from .trained_slots import write_slots

#: What fills the streams of (a) where there is no sentence.
PADDING = {"cont_slots": 0, "input_slots": -1, "hand_over": 0, "cont_sentence": 0,
           "input_sentence": -1, "target_sentence": -1}


@dataclass(frozen=True)
class Description(Pair):
    """A clip and one of its sentences as word ids; ``path`` is the clip's id.

    Args:
        clip: its row among the roles.
        symbols: (T,) one for each slot, in the order in which they are read.
    """

    clip: int = 0
    symbols: tuple[int, ...] = ()

    @property
    def rows(self) -> int:
        """Steps of (a) without padding: T symbols and T' words, of which one step is common."""
        return len(self.symbols) + len(self.words)


def encode(pair: Description, rows: int | None = None) -> dict[str, list[int]]:
    """Return the streams of (a) for one sentence, by data set name.

    The symbols take steps 1 to T. In step T ``hand_over`` is 1, the decoder's ``cont_sentence`` is
    0 for the last time, and the first word is the target.

    Args:
        pair: symbols and words.
        rows: pad every stream to this length.
    """
    before, words = len(pair.symbols) - 1, list(pair.words)
    after = len(words)
    streams = {"cont_slots": [0] + [1] * (before + after),
               "input_slots": [*pair.symbols, *[-1] * after],
               "hand_over": [0] * before + [1] + [0] * after,
               "cont_sentence": [0] * (before + 1) + [1] * after,
               "input_sentence": [-1] * before + [EOS, *words],
               "target_sentence": [-1] * before + [*words, EOS]}
    missing = 0 if rows is None else rows - (before + 1 + after)
    return {name: values + [PADDING[name]] * missing for name, values in streams.items()}


def write_role_streams(recipe: Recipe, splits: Mapping[str, Roles], report: Report,
                       vocabulary: Vocabulary | None = None,
                       min_count: int = 5) -> tuple[Vocabulary, dict[str, int]]:
    """Write vocabulary, list of slots and streams of some splits.

    Args:
        recipe: where they go, and the streams' sizes; ``timesteps`` is T', the steps of a sentence
            with ``<EOS>``. Longer sentences are cut so that ``<EOS>`` stays.
        splits: split -> its roles, with sentences.
        report: receives a line for each step, and warnings.
        vocabulary: use this one; by default it is made from the first split, and written.
        min_count: a word of the vocabulary that is made occurs at least so often.

    Returns:
        The vocabulary, and split -> number of its sentences, repeated ones included.

    Raises:
        DataError: the splits have different slots, only some have probabilities, or one has no
            sentences; output exists and is not to be replaced, or a file cannot be written.
        UsageError: a vocabulary exists and is not to be replaced.
    """
    first = next(iter(splits.values()))
    for roles in splits.values():
        check_same_slots(roles, first.slots, first.path)
        if (roles.probabilities is None) != (first.probabilities is None):
            with_them, without = sorted((roles, first), key=lambda item: item.probabilities is None)
            raise DataError("one split has probabilities, the other labels alone",
                            got=f"{with_them.path} with, {without.path} without",
                            remedy="A net must be trained and tested on one kind.")
    recipe.refuse_existing(*(recipe.folder(split) for split in splits))
    usable = {split: _tokenized(roles, report) for split, roles in splits.items()}
    if vocabulary is None:
        vocabulary = write_vocabulary(recipe, Vocabulary.from_captions(
            [tokens for _, tokens in next(iter(usable.values()))], min_count))
    write_slots(recipe.out, first.slots, vocabulary, recipe.force)
    counts = {split: _write_split(recipe, split, roles, usable[split], vocabulary, report)
              for split, roles in splits.items()}
    return vocabulary, counts


def _tokenized(roles: Roles, report: Report) -> list[tuple[str, list[str]]]:
    """Return (id of the clip, tokens) of each sentence."""
    captions = [Caption(name, text, f"{roles.path}: clip '{name}'", name)
                for name, texts in zip(roles.ids, roles.sentences, strict=True) for text in texts]
    if not captions:
        raise DataError("no clip has a sentence", where=roles.path,
                        remedy="Streams are for training; 'describe' takes roles without them.")
    without = sum(not texts for texts in roles.sentences)
    if without:
        report(f"warning: {without} of {len(roles.ids)} clips in {roles.path} have no sentences")
    return tokenized(captions, None, report)


def _write_split(recipe: Recipe, split: str, roles: Roles, usable: Sequence[tuple[str, list[str]]],
                 vocabulary: Vocabulary, report: Report) -> int:
    pairs, cut = _pairs(recipe, roles, usable, vocabulary)
    folder = recipe.folder(split)
    slots = len(roles.slots)
    layouts = {
        "batch": Layout(pairs, recipe.streams, recipe.timesteps, encode=encode_words,
                        padding=CAPTION_PADDING),
        "symbols": Layout(pairs, recipe.streams, slots + recipe.timesteps - 1, encode=encode,
                          padding=PADDING)}
    vectors = {"max": roles.one_hot()}
    if roles.probabilities is not None:
        vectors["prob"] = roles.marginals()
    clips = np.array([pair.clip for pair in pairs])
    with new_folder(folder, DataError, "the streams",
                    "Make room on the disk, or use another --out.") as partial:
        for name, layout in layouts.items():
            _write(partial, folder, name, layout.files, vocabulary)
        for name, values in vectors.items():
            _write(partial, folder, name, lambda values=values: _vectors(values, clips), None)
        # Clips in the order of their sentences, to look things up.
        (partial / "clips.txt").write_text("".join(f"{pair.path}\n" for pair in pairs),
                                           encoding="utf-8")
        for path in partial.iterdir():
            sync(str(path))
    unknown = sum(word == UNKNOWN for pair in pairs for word in pair.words)
    report(f"{split}: {len(roles.ids)} clips, {len(usable)} sentences ({len(pairs) - len(usable)} "
           f"repeated to fill the streams, {cut} cut to {recipe.timesteps} steps, {unknown} "
           f"unknown words) in {folder}")
    return len(pairs)


def _pairs(recipe: Recipe, roles: Roles, usable: Sequence[tuple[str, list[str]]],
           vocabulary: Vocabulary) -> tuple[list[Description], int]:
    """Return the sentences in the order of the streams, and how many are cut."""
    rows = {name: row for row, name in enumerate(roles.ids)}
    symbols, most = roles.tokens().tolist(), recipe.timesteps - 1
    made = [Description(name, tuple(vocabulary.ids(tokens))[:most], rows[name],
                        tuple(symbols[rows[name]])) for name, tokens in usable]
    cut = sum(len(tokens) > most for _, tokens in usable)
    return align(made, recipe.streams, recipe.seed), cut


def _vectors(values: np.ndarray, clips: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    for start in range(0, len(clips), FILE_ROWS):
        yield {"roles": values[clips[start:start + FILE_ROWS]]}


_LISTS = {"batch": "hdf5_chunk_list"}


def _write(partial: Path, final: Path, name: str,
           files: Callable[[], Iterator[dict[str, np.ndarray]]],
           vocabulary: Vocabulary | None) -> None:
    """Write arrays as files of ``partial``, and a list of them as files of ``final``."""
    names = []
    for number, arrays in enumerate(files()):
        names.append(final / f"{name}_{number}.h5")
        with new_hdf5(partial / names[-1].name) as file:
            for key, array in arrays.items():
                file.create_dataset(key, data=array)
            if vocabulary is not None:
                stamp(file, vocabulary)
    (partial / f"{_LISTS.get(name, name)}.txt").write_text(
        "".join(f"{path}\n" for path in names), encoding="utf-8")
