"""Phrase-based statistical translation of labels into sentences: the baselines of Table 9.

Source: Rohrbach et al., "Translating video content to natural language descriptions" (2013), for
the maxima; "Coherent multi-sentence video description with variable level of detail" (2014), for
the lattice.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ... import rng
from ...collection import paused_collection
from ...errors import DataError, UsageError
from ...language.caption_tokens import tokenize
from ...language.ngrams import NGrams
from ..progress import Progress
from .lattice import DEFAULT_WEIGHTS, Lattice, lattices
from .phrases import Pair, PhraseTable, align, extract
from .role_records import check_same_slots
from .roles import Roles, Slot
from .stack_search import Candidate, StackSearch
from .tuning import Weights, tune

Report = Callable[[str], None]
_LONGEST_SENTENCE = 80  # words; alignment takes long over longer ones
_LISTED = 100  # translations of a clip that weights are chosen by
_TUNED = 400  # clips that weights are chosen on, at most


@dataclass(frozen=True)
class Recipe:
    """How a translator is trained.

    Args:
        order: of the language model's n-grams.
        iterations: of each alignment model.
        phrase: words of the longest phrase.
        lattice: labels of each slot while the weights are chosen.
        stack: states that the search keeps.
        limit: phrases that it tries for the same labels.
        seed: of the held-out clips, and of the weights that are tried.
    """

    order: int = 3
    iterations: int = 5
    phrase: int = 7
    lattice: int = 1
    stack: int = 20
    limit: int = 20
    seed: int = 1


@dataclass(frozen=True)
class Translator:
    """A trained system.

    Args:
        slots: those of the clips that it was trained on.
        table: its phrases.
        model: its language model.
        weights: of ``lattice.FEATURES``.
        recipe: how it was trained.
        about: what it was trained on, for the reader of its file.
        held_out: how many clips the weights were chosen on, and BLEU-4 there.
    """

    slots: tuple[Slot, ...]
    table: PhraseTable
    model: NGrams
    weights: Weights
    recipe: Recipe
    about: dict[str, object]
    held_out: tuple[int, float] | None = None

    def describe(self, roles: Roles, width: int, report: Report) -> list[str]:
        """Return a sentence for each clip.

        Args:
            roles: clips with the slots and labels of the training.
            width: labels of each slot to choose from.
            report: takes lines of progress and notes.

        Raises:
            DataError: other slots, or probabilities are needed and missing.
        """
        check_same_slots(roles, self.slots, "the model")
        found = lattices(roles, width)
        self._tell_unknown(roles, report)
        decoded = decode(self._search(self.weights), found, 1, report)
        speechless = sum(not candidates for candidates in decoded)
        if speechless:
            report(f"note: nothing in {speechless} clips has a translation; the language model's "
                   "most probable sentence stands in")
        return [sentence(candidates[0].words if candidates else self.model.most_probable())
                for candidates in decoded]

    def _search(self, weights: Weights) -> StackSearch:
        return StackSearch(self.table, self.model, weights, self.recipe.stack, self.recipe.limit)

    def tuned(self, roles: Roles, report: Report) -> Translator:
        """Return this system with weights that suit some clips, which it has not seen."""
        told = roles.select(np.array([clip for clip, texts in enumerate(roles.sentences) if texts]))
        found = lattices(told, self.recipe.lattice)

        def translations(weights: Weights) -> list[list[Candidate]]:
            return decode(self._search(weights), found, _LISTED, report)

        weights, bleu = tune(translations, told.sentences, self.weights, self.recipe.seed, report)
        return replace(self, weights=weights, held_out=(len(found), bleu))

    def _tell_unknown(self, roles: Roles, report: Report) -> None:
        known = {label for labels in self.table for label in labels}
        for number, slot in enumerate(roles.slots):
            column = roles.labels[:, number]
            for label in np.unique(column).tolist():
                if int(roles.offsets[number]) + label not in known:
                    report(f"note: {slot.name} '{slot.labels[label]}' is not in the training "
                           f"clips, so it has no translation ({(column == label).sum()} clips)")


def train(roles: Roles, held_out: Roles | None, recipe: Recipe, report: Report) -> Translator:
    """Return a system trained on clips, with its weights chosen on others.

    Args:
        roles: clips with sentences; those without are left out.
        held_out: other clips with sentences; without any, the weights stay at the usual values.
        recipe: the settings.
        report: takes lines of progress.

    Raises:
        DataError: no sentences, other slots in the held-out clips, or no probabilities for a
            lattice.
    """
    pairs = _pairs(roles, report)
    if held_out is not None:
        check_same_slots(held_out, roles.slots, "the training clips")
        if not any(held_out.sentences):
            raise DataError("the held-out clips have no sentences", where=held_out.path)
        lattices(held_out.select(np.arange(1)), recipe.lattice)  # fail now, not after the work
    with paused_collection():
        table = extract(pairs, align(pairs, recipe.iterations, report), recipe.phrase,
                        recipe.limit)
        model = NGrams.from_sentences((words for _, words in pairs), recipe.order)
    report(f"{sum(map(len, table.values()))} phrases of {len(pairs)} sentences")
    about: dict[str, object] = {"file": roles.path, "clips": len(roles.ids),
                                "sentences": len(pairs)}
    translator = Translator(roles.slots, table, model, DEFAULT_WEIGHTS, recipe, about)
    return translator if held_out is None else translator.tuned(held_out, report)


def hold_out(roles: Roles, fraction: float, seed: int) -> tuple[Roles, Roles]:
    """Return (the clips to train on, the others), both with sentences.

    Args:
        fraction: of the clips that are held out; they are 1 to 400.
        seed: which ones.

    Raises:
        UsageError: too few clips.
    """
    useful = np.array([clip for clip, texts in enumerate(roles.sentences) if texts], int)
    if len(useful) < 2:
        raise UsageError("too few clips with sentences to hold some out", where=roles.path,
                         got=len(useful), remedy="Give --val FILE, or --val-fraction 0 to keep "
                                                 "the usual weights.")
    order = rng.generator(seed, "held-out clips").permutation(useful)
    held = min(max(round(fraction * len(useful)), 1), _TUNED, len(useful) - 1)
    return roles.select(np.sort(order[held:])), roles.select(np.sort(order[:held]))


def decode(search: StackSearch, found: Sequence[Lattice], most: int,
           report: Report) -> list[list[Candidate]]:
    """Return the best translations of each lattice; equal ones are searched once."""
    known: dict[Lattice, list[Candidate]] = {}
    different = list(dict.fromkeys(found))
    progress = Progress(len(different), "translated", report)
    for lattice in different:
        known[lattice] = search.best(lattice, most)
        progress.step()
    return [known[lattice] for lattice in found]


def sentence(words: Sequence[str]) -> str:
    """Return words as a sentence: a capital letter, a full stop."""
    text = " ".join(words)
    return text[:1].upper() + text[1:] + "."


def _pairs(roles: Roles, report: Report) -> list[Pair]:
    found: list[Pair] = []
    left_out = 0
    for labels, texts in zip(roles.tokens().tolist(), roles.sentences, strict=True):
        for text in texts:
            words = tuple(tokenize(text))
            if 0 < len(words) <= _LONGEST_SENTENCE:
                found.append((tuple(labels), words))
            else:
                left_out += 1
    if not found:
        raise DataError("the clips have no sentences to learn from", where=roles.path,
                        wanted="'sentences' in the clips")
    if left_out:
        report(f"note: {left_out} sentences are left out: they have no words, or more than "
               f"{_LONGEST_SENTENCE}")
    return found
